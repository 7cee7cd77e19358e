unit_test(yaml base)
