fuzz_target(yaml base)
