//! Tells the FFmpeg room which version it is built against: as `cfg(ffmpeg_6_1)` for FFmpeg 6.1 or newer, and so on.

fn main() {
    println!("cargo:rerun-if-changed=src/ffmpeg/build.rs");
    for version in ["ffmpeg_6_1", "ffmpeg_8_0"] {
        println!("cargo:rustc-check-cfg=cfg({version})");
        // Set by ffmpeg-sys-next's build script for crates that depend on it.
        if std::env::var(format!("DEP_FFMPEG_{}", version.to_uppercase())).is_ok_and(|found| found == "true") {
            println!("cargo:rustc-cfg={version}");
        }
    }
}
