//! What saving leaves behind: the new file or the old one, whole, whatever fails, and nothing else.

use crate::common::{
    all_kinds, all_kinds_model, bytes, folder, job, model, names, path, plain_config, predictions,
    write,
};
use pairloom::config::Config;
use pairloom::file::{check_place, write_whole};
use pairloom::{Error, Model, Result};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// The error of a save, and a check that neither a temporary file nor a model is left over.
fn failed_save(model: &Model, to: &str, folder: &Path) -> Error {
    let before = names(folder);
    let error = model.save(to).unwrap_err();
    assert_eq!(names(folder), before, "left behind by {error}");
    assert!(matches!(&error, Error::Io { file, .. } if file == to), "{error}");
    error
}

#[test]
fn what_cannot_be_saved_leaves_nothing_behind() {
    let folder = folder();
    let model = all_kinds_model();
    failed_save(&model, &path(&folder, "missing/model"), folder.path());
    fs::create_dir(path(&folder, "sub")).unwrap();
    failed_save(&model, &path(&folder, "sub"), folder.path());
    assert!(names(&folder.path().join("sub")).is_empty());
    write(&folder, "file", "");
    failed_save(&model, &path(&folder, "file/model"), folder.path());
    failed_save(&model, "/dev/full", folder.path());
}

#[test]
fn a_write_that_fails_at_its_end_leaves_the_old_file() {
    let folder = folder();
    let place = path(&folder, "place");
    write(&folder, "place", "old");
    let error = write_whole(&place, |out| -> Result<()> {
        out.write_all(b"new").unwrap();
        Err(Error::usage("no more"))
    });
    assert_eq!(error.unwrap_err().to_string(), "no more");
    assert_eq!(fs::read(&place).unwrap(), b"old");
    // The rename fails: a folder has come to be where the file was to go.
    let error = write_whole(&place, |out| {
        fs::remove_file(&place).unwrap();
        fs::create_dir(&place).unwrap();
        out.write_all(b"new").map_err(|e| Error::io("buffer", e))
    });
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with(&format!("{place}: ")) && !error.contains(".pairloom-"), "{error}");
    assert_eq!(names(folder.path()), ["place"]);
}

#[test]
fn a_place_is_tried_out_without_a_trace() {
    let folder = folder();
    write(&folder, "old", "old");
    for good in [path(&folder, "new"), path(&folder, "old"), "-".into(), "/dev/full".into()] {
        check_place(&good).unwrap();
    }
    // /sys takes no files, not even from root, who may write anywhere else.
    for bad in [path(&folder, "old/new"), path(&folder, "none/new"), "/sys/pairloom".into()] {
        let error = check_place(&bad).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{bad}: ")) && !error.contains(".pairloom-"), "{error}");
    }
    assert_eq!(names(folder.path()), ["old"]);
    assert_eq!(fs::read(path(&folder, "old")).unwrap(), b"old");
}

#[test]
fn saving_to_a_device_leaves_the_device() {
    use std::os::unix::fs::FileTypeExt;
    all_kinds_model().save("/dev/null").unwrap();
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[test]
fn a_link_stays_and_its_file_is_replaced() {
    let folder = folder();
    fs::create_dir(path(&folder, "far")).unwrap();
    let model = all_kinds_model();
    // An absolute link, a relative one, and one whose file is not there yet.
    for (file, to) in
        [("far/a", path(&folder, "far/a")), ("far/b", "far/b".into()), ("far/c", "far/c".into())]
    {
        let (file, link) = (path(&folder, file), path(&folder, &file.replace('/', "-")));
        if !file.ends_with('c') {
            fs::write(&file, "old").unwrap();
        }
        symlink(to, &link).unwrap();
        model.save(&link).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "{link}");
        assert!(fs::symlink_metadata(&file).unwrap().is_file(), "{file}");
        Model::load(&link).unwrap();
    }
}

#[test]
fn permissions_of_an_existing_file_are_kept_and_a_new_one_has_the_usual_ones() {
    let folder = folder();
    let mode = |path: &str| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let model = all_kinds_model();
    for kept in [0o600, 0o640, 0o644, 0o444] {
        let path = write(&folder, &format!("kept-{kept:o}"), "old");
        fs::set_permissions(&path, fs::Permissions::from_mode(kept)).unwrap();
        model.save(&path).unwrap();
        assert_eq!(mode(&path), kept);
        Model::load(&path).unwrap();
    }
    let (new, usual) = (path(&folder, "new"), write(&folder, "usual", ""));
    model.save(&new).unwrap();
    assert_eq!(mode(&new), mode(&usual));
}

/// A file system of a given size, for as long as this lives.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    /// `None` where that is not allowed.
    fn new(folder: &'a Path, size: &str) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder);
        let output = mount.output().ok()?;
        output.status.success().then_some(Mounted(folder))
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let folder = folder();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let Some(_mounted) = Mounted::new(&disk, "64k") else {
        eprintln!("skipped: a small file system can only be mounted by root");
        return;
    };
    let file = disk.join("model").to_str().unwrap().to_string();
    let old = all_kinds_model();
    old.save(&file).unwrap();
    // A few ids of many floats: some 100 KB.
    let data = write(&folder, "rows.csv", all_kinds(200));
    let config = Config { factors: Some(2000), epochs: 1, ..plain_config() };
    let large = model(&job(&data, &config));
    let error = failed_save(&large, &file, &disk);
    assert!(error.to_string().contains("No space left"), "{error}");
    assert!(fs::read(&file).unwrap() == bytes(&old));
    assert_eq!(names(&disk), ["model"]);
    // And with room left for a part of the small one only.
    fs::write(disk.join("filler"), vec![1; 64 << 10]).unwrap_err();
    failed_save(&old, &file, &disk);
    Model::load(&file).unwrap();
    fs::remove_file(disk.join("filler")).unwrap();
    old.save(&file).unwrap();
}

#[test]
fn saving_over_a_model_in_use_does_not_disturb_it() {
    let folder = folder();
    let path = path(&folder, "model");
    let model = all_kinds_model();
    model.save(&path).unwrap();
    let loaded = Model::load(&path).unwrap();
    let before = predictions(&loaded).unwrap();
    let other = Model { epoch: 77, ..model };
    other.save(&path).unwrap();
    assert_eq!(predictions(&loaded).unwrap(), before);
    assert_eq!(Model::load(&path).unwrap().epoch, 77);
    assert_eq!(names(folder.path()), ["model"]);
}
