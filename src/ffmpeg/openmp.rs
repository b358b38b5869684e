//! OpenMP, with which Tesseract is built: how many threads a parallel region gets.

use std::ffi::{CStr, c_int, c_void};
use std::sync::OnceLock;

/// `omp_get_max_active_levels` and `omp_set_max_active_levels` of OpenMP 3.0 and later.
#[derive(Clone, Copy)]
struct Levels {
    get: extern "C" fn() -> c_int,
    set: extern "C" fn(c_int),
}

/// Those of the OpenMP that is in this process; `None` without one.
fn levels() -> Option<Levels> {
    static LEVELS: OnceLock<Option<Levels>> = OnceLock::new();
    let symbol = |name: &CStr| {
        // SAFETY: the name ends with a zero byte; looking a symbol up has no other conditions.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        (!found.is_null()).then_some(found)
    };
    *LEVELS.get_or_init(|| {
        let (get, set) = (symbol(c"omp_get_max_active_levels")?, symbol(c"omp_set_max_active_levels")?);
        // SAFETY: what has these names are functions of these types, by section 3.2 of the OpenMP API.
        let get = unsafe { std::mem::transmute::<*mut c_void, extern "C" fn() -> c_int>(get) };
        // SAFETY: as above.
        let set = unsafe { std::mem::transmute::<*mut c_void, extern "C" fn(c_int)>(set) };
        Some(Levels { get, set })
    })
}

/// Does `work` with the parallel regions of OpenMP on this thread alone.
///
/// Tesseract asks for four threads for each layer of its networks. Of a line of text a layer takes microseconds, and the threads
/// spin while they wait for each other: that takes twice the CPU, and more time where other threads have work.
pub(crate) fn on_one_thread<T>(work: impl FnOnce() -> T) -> T {
    /// Sets the levels as they were, also when `work` panics.
    struct Restore(Levels, c_int);
    impl Drop for Restore {
        fn drop(&mut self) {
            (self.0.set)(self.1);
        }
    }
    // The setting is that of this thread. With no active level, every region has one thread.
    let _restore = levels().map(|levels| {
        let before = (levels.get)();
        (levels.set)(0);
        Restore(levels, before)
    });
    work()
}

#[cfg(all(test, feature = "tesseract"))]
mod tests {
    use super::*;

    #[test]
    fn it_is_for_this_thread_and_this_work_alone() {
        let Levels { get, .. } = levels().expect("comes with Tesseract");
        let before = get();
        assert!(before > 0);
        let (here, elsewhere) = on_one_thread(|| (get(), std::thread::spawn(move || get()).join().expect("ends")));
        assert_eq!((here, elsewhere, get()), (0, before, before));
        let broken = std::panic::catch_unwind(|| on_one_thread(|| assert_eq!(get(), 1, "a panic on purpose")));
        assert!(broken.is_err());
        assert_eq!(get(), before);
    }
}
