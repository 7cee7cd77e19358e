// barriers.js -- axe-core, as a text for the page: its policy takes no script from elsewhere, the debugger's may run.
'use strict';
exports.axe_source = require('axe-core').source;
