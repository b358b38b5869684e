#![no_main]

libfuzzer_sys::fuzz_target!(|json: &[u8]| drop(remix_engine::fuzzing::request(json)));
