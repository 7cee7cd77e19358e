unit_test(yaml base)
unit_test(ring base)
unit_test(log base)
