unit_test(yaml base)
unit_test(ring base)
unit_test(log base)
unit_test(matcher base base_match)
