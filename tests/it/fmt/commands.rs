//! The command as people and editors call it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::common::process::Rackform;

const UGLY: &str = "[zone.east]\nname=\"a\"\ndescription = \"b\"\n";
const NEAT: &str = "[zone.east]\nname        = \"a\"\ndescription = \"b\"\n";
const BROKEN: &str = "[host.a]\nusername = \"${env(\"USER\")}\"\n";

/// Names in a directory, to see what is left behind.
fn names(rackform: &Rackform) -> Vec<String> {
    let entries = fs::read_dir(rackform.dir()).expect("a directory");
    let mut names: Vec<String> =
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn files_are_rewritten_and_named() {
    let rackform = Rackform::with(UGLY);
    rackform.write("neat.rack.toml", NEAT);
    rackform.write("prod.vars.toml", "racks=[ \"a\" ]\n");
    rackform.write("other.toml", "a=1\n");
    rackform.write("below/x.rack.toml", UGLY);
    let check = rackform.run(&["fmt", "--check"]).expect(1);
    assert_eq!(check.stdout, "main.rack.toml\nprod.vars.toml\n");
    assert_eq!(check.stderr, "2 files are not formatted; `rackform fmt` does it.\n");
    assert_eq!(rackform.read("main.rack.toml"), UGLY, "--check changes nothing");
    let done = rackform.run(&["fmt"]).expect(0);
    assert_eq!((&*done.stdout, &*done.stderr), ("main.rack.toml\nprod.vars.toml\n", ""));
    assert_eq!(rackform.read("main.rack.toml"), NEAT);
    assert_eq!(rackform.read("prod.vars.toml"), "racks = [\"a\"]\n");
    assert_eq!(rackform.read("other.toml"), "a=1\n");
    assert_eq!(rackform.read("below/x.rack.toml"), UGLY);
    for args in [&["fmt"][..], &["fmt", "--check"], &["fmt", "--check", "--diff"]] {
        let again = rackform.run(args).expect(0);
        assert_eq!((&*again.stdout, &*again.stderr), ("", ""), "{args:?}");
    }
    let left = ["below", "main.rack.toml", "neat.rack.toml", "other.toml", "prod.vars.toml"];
    assert_eq!(names(&rackform), left);
}

#[test]
fn modules_below_and_paths() {
    let rackform = Rackform::with(NEAT);
    let all = ["modules/hall/b.rack.toml", "modules/hall/a.rack.toml", "x/c.vars.toml"];
    for name in all.iter().chain(&[".git/d.rack.toml"]) {
        rackform.write(name, UGLY);
    }
    symlink(rackform.dir(), rackform.path("x/round")).expect("a link");
    let check = rackform.run(&["fmt", "--recursive", "--check"]).expect(1);
    assert_eq!(check.stdout, "modules/hall/a.rack.toml\nmodules/hall/b.rack.toml\nx/c.vars.toml\n");
    let paths = rackform.run(&["fmt", "x", "modules/hall/b.rack.toml"]).expect(0);
    assert_eq!(paths.stdout, "x/c.vars.toml\nmodules/hall/b.rack.toml\n");
    assert_eq!(rackform.run(&["fmt", "-r"]).expect(0).stdout, "modules/hall/a.rack.toml\n");
}

#[test]
fn a_broken_file_is_reported_and_the_others_are_formatted() {
    let rackform = Rackform::with(UGLY);
    rackform.write("broken.rack.toml", BROKEN);
    fs::write(rackform.path("latin.rack.toml"), b"# \xe4\n").expect("a file");
    let done = rackform.run(&["fmt"]).expect(1);
    assert_eq!(done.stdout, "main.rack.toml\n");
    let wanted = ["broken.rack.toml:2", "username = '${env(\"USER\")}'", "latin.rack.toml:1"];
    wanted.iter().for_each(|text| assert!(done.stderr.contains(text), "{}", done.stderr));
    assert_eq!(rackform.read("main.rack.toml"), NEAT);
    assert_eq!(rackform.read("broken.rack.toml"), BROKEN);
    assert_eq!(fs::read(rackform.path("latin.rack.toml")).expect("a file"), b"# \xe4\n");
    // It is not enough that the others are formatted now.
    rackform.run(&["fmt", "--check"]).expect(1);
}

/// Of a file that is too large nothing is kept in memory: it must not be replaced by nothing.
#[test]
fn a_file_that_is_too_large_stays() {
    let rackform = Rackform::with(UGLY);
    let file = fs::File::create(rackform.path("huge.rack.toml")).expect("a file");
    file.set_len(65 << 20).expect("a sparse file");
    let done = rackform.run(&["fmt"]).expect(1);
    assert_eq!(done.stdout, "main.rack.toml\n");
    assert!(done.stderr.contains("huge.rack.toml is too large"), "{}", done.stderr);
    assert_eq!(file.metadata().expect("it is there").len(), 65 << 20);
    assert_eq!(fs::metadata(rackform.path("huge.rack.toml")).expect("a file").len(), 65 << 20);
}

#[test]
fn what_cannot_be_formatted_is_said() {
    let rackform = Rackform::new();
    rackform.write("devices.toml", "a=1\n");
    fs::create_dir(rackform.path("dir.rack.toml")).expect("a directory");
    symlink("nowhere", rackform.path("dangling.rack.toml")).expect("a link");
    let done = rackform.run(&["fmt", "devices.toml", "nothing", "dir.rack.toml", "./."]).expect(1);
    assert_eq!(done.stdout, "");
    assert_snapshot!(done.stderr, @r"
    not_a_configuration

      × `devices.toml` is no configuration file
      ╰─▶ They end in .rack.toml or .vars.toml.
      help: another TOML file can be formatted from stdin: rackform fmt - < FILE

    unreadable

      × cannot read `nothing`: No such file or directory (os error 2)

    no_configuration

      × `dir.rack.toml` has no configuration (no *.rack.toml or *.vars.toml file)
      help: name files or directories, or the directory with -C DIR; --recursive
            looks further down

    unreadable

      × cannot read `dangling.rack.toml`: No such file or directory (os error 2)

    4 errors
    ");
    let nowhere = rackform.run(&["fmt", "-C", "nowhere"]).expect(1);
    assert!(nowhere.stderr.contains("cannot read `nowhere`"), "{}", nowhere.stderr);
    let mixed = rackform.run(&["fmt", "-", "devices.toml"]).expect(1);
    assert!(mixed.stderr.contains("together with files"), "{}", mixed.stderr);
}

#[test]
fn a_difference_is_shown_without_secrets() {
    let rackform = Rackform::with(
        "[host.a]\nusername=\"root\"\npassword   = \"hunter2\"\n\n[variable.chap]\nsensitive=true\ndefault = \"hunter3\"\n",
    );
    rackform.write("x.vars.toml", "chap=\"hunter4\"\nn = [ 17,18 ]\n");
    rackform.write("y.vars.toml", "chap=\"hunter5\n");
    let check = rackform.run(&["fmt", "--check", "--diff"]).expect(1);
    assert!(!(check.stdout + &check.stderr).contains("hunter"));
    let shown = rackform.run(&["fmt", "--diff"]).expect(1).stdout;
    assert_snapshot!(shown, @r#"
    --- main.rack.toml
    +++ main.rack.toml
    @@ -1,7 +1,7 @@
     [host.a]
    -username="root"
    -password   = "*******"
    +username = "root"
    +password = "*******"
     
     [variable.chap]
    -sensitive=true
    -default = "*******"
    +sensitive = true
    +default   = "*******"
    --- x.vars.toml
    +++ x.vars.toml
    @@ -1,2 +1,2 @@
    -chap="*******"
    -n = [ **,** ]
    +chap = "*******"
    +n    = [**, **]
    "#);
    assert_eq!(rackform.run(&["fmt", "--diff"]).expect(1).stdout, "", "all is formatted by now");
    rackform.write("x.vars.toml", "n=1\n");
    let colored = rackform.run(&["fmt", "--diff", "--check", "--color", "always"]).expect(1).stdout;
    assert!(colored.contains("\u{1b}[31m-n=*\u{1b}[0m\n"), "{colored:?}");
}

#[test]
fn links_and_permissions_stay() {
    let rackform = Rackform::new();
    rackform.write("real/kept.toml", UGLY);
    let real = rackform.path("real/kept.toml");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("permissions");
    symlink("real/kept.toml", rackform.path("a.rack.toml")).expect("a link");
    symlink("a.rack.toml", rackform.path("b.rack.toml")).expect("a link");
    let done = rackform.run(&["fmt"]).expect(0);
    assert_eq!(done.stdout, "a.rack.toml\nb.rack.toml\n");
    assert_eq!(rackform.read("real/kept.toml"), NEAT);
    let mode = fs::metadata(&real).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(rackform.path("a.rack.toml").is_symlink());
    assert_eq!(fs::read_dir(rackform.path("real")).expect("a directory").count(), 1);
}

fn stdin(args: &[&str], text: &str) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rackform"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("stdin").write_all(text.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn editors_pass_a_text_through() {
    assert_eq!(stdin(&["fmt", "-"], UGLY), (Some(0), NEAT.into(), String::new()));
    assert_eq!(stdin(&["fmt", "-"], NEAT), (Some(0), NEAT.into(), String::new()));
    let (code, out, err) = stdin(&["fmt", "--check", "-"], UGLY);
    assert_eq!((code, &*out), (Some(1), "<stdin>\n"));
    assert!(err.starts_with("1 file is not formatted"), "{err}");
    assert_eq!(stdin(&["fmt", "--check", "-"], NEAT), (Some(0), String::new(), String::new()));
    let (code, out, err) = stdin(&["fmt", "-"], BROKEN);
    assert_eq!((code, &*out), (Some(1), ""));
    assert!(err.contains("<stdin>:2"), "{err}");
}
