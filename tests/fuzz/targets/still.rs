#![no_main]

libfuzzer_sys::fuzz_target!(init: remix_engine_fuzz::forgive_decoders(), |content: &[u8]| {
    remix_engine_fuzz::with_file(content, |path| drop(remix_engine::fuzzing::still(path)));
});
