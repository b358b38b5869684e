#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    remix_engine_fuzz::with_file(content, |path| drop(remix_engine::fuzzing::video(path)));
});
