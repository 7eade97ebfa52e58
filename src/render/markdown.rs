//! A plan for a merge request: Markdown with collapsible details, what destroys first.
//!
//! In: the [`View`] of `plan` (its style is not used: diff blocks colour by their first column).
//! Out: text of at most the given length, as forges cut or refuse longer comments. Nothing in
//! the plan can close the code block or the details it stands in.

use std::fmt::Write;

use crate::plan::{Action, Change, Plan};

use super::change::{Changes, Shape, shapes};
use super::plan::{View, sentence, write_drift};
use super::tally::casualties;
use super::{Style, clean, words};

/// What a comment on the common forges may hold is 65,536 characters; some stays for the caller's
/// own heading.
pub const LIMIT: usize = 60_000;
/// Kept free for the summary and the notes on what was left out.
const RESERVE: usize = 2_000;

const STYLE: Style = Style { color: false, unicode: true, width: 100 };

/// A kind of change with its heading: the most dangerous first, so that a cut loses the harmless.
const GROUPS: [(&str, &[Action]); 6] = [
    ("to destroy", &[Action::Delete]),
    ("to replace", &[Action::Replace]),
    ("to change", &[Action::Update]),
    ("to add", &[Action::Create]),
    ("to import", &[Action::Adopt]),
    ("only in the state", &[Action::Forget, Action::Record]),
];

/// The plan as Markdown of about `limit` bytes at most; changes that do not fit are counted.
pub fn text(view: &View<'_>, limit: usize) -> String {
    let plan = view.plan;
    let mut page = Page { out: String::new(), limit: limit.saturating_sub(RESERVE), left_out: 0 };
    page.heading(plan);
    page.losses(plan);
    page.changes(view);
    page.drift(view);
    page.outputs(plan);
    page.notes(plan);
    if page.left_out > 0 {
        let left = words::many(page.left_out, "change");
        page.line(&format!("_{left} left out here: the whole plan would be too long._\n"));
    }
    page.out
}

struct Page {
    out: String,
    limit: usize,
    left_out: usize,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn heading(&mut self, plan: &Plan) {
        if plan.changes.is_empty() && plan.changes_outputs() {
            self.line("### Only outputs change\n");
            self.line("An apply writes them into the state and sends nothing.\n");
        } else if plan.changes.is_empty() {
            let compared = words::many(plan.unchanged, "object");
            self.line("### No changes\n");
            self.line(&format!("The cloud matches the configuration ({compared} compared).\n"));
        } else {
            self.line(&format!("### {}\n", sentence(plan).trim_end_matches('.')));
        }
    }

    fn losses(&mut self, plan: &Plan) {
        let lost = casualties(plan);
        if lost.is_empty() {
            return;
        }
        let lost: Vec<String> =
            lost.iter().map(|(label, n)| escape(&words::lost(*n, label))).collect();
        self.line("> [!CAUTION]");
        let text = words::list(&lost);
        self.line(&format!("> Goes down with it, though not in this plan: **{text}**.\n"));
    }

    fn changes(&mut self, view: &View<'_>) {
        let shapes = shapes(view.plan);
        let writer = Changes { sources: view.sources, style: &STYLE };
        for (title, actions) in GROUPS {
            let all = view.plan.changes.iter().zip(&shapes);
            let group: Vec<_> = all.filter(|(c, _)| actions.contains(&c.action)).collect();
            if !group.is_empty() {
                let title = format!("{} {title}", words::count(group.len() as u64));
                let body = self.body(&group, &writer);
                self.details(&title, &body);
            }
        }
    }

    /// The changes of a group, as many as there is room for.
    fn body(&mut self, group: &[(&Change, &Shape)], writer: &Changes<'_>) -> String {
        let (mut body, mut one) = (String::new(), String::new());
        for (at, (change, shape)) in group.iter().enumerate() {
            one.clear();
            // Writing into a String does not fail, here and below.
            let _ = writer.write(change, **shape, &mut one);
            if self.out.len() + body.len() + one.len() > self.limit {
                self.left_out += group.len() - at;
                break;
            }
            if !body.is_empty() && **shape == Shape::Object {
                body.push('\n');
            }
            one.lines().for_each(|line| marked(line, &mut body));
        }
        body
    }

    fn drift(&mut self, view: &View<'_>) {
        let found = &view.plan.drift;
        let (mut one, mut body) = (String::new(), String::new());
        let writer = Changes { sources: view.sources, style: &STYLE };
        for (at, drift) in found.iter().enumerate() {
            one.clear();
            let _ = write_drift(drift, &writer, &mut one);
            if self.out.len() + body.len() + one.len() > self.limit {
                let _ = writeln!(body, "  ({} more)", words::count((found.len() - at) as u64));
                break;
            }
            one.lines().for_each(|line| marked(line, &mut body));
        }
        if !found.is_empty() {
            let count = words::count(found.len() as u64);
            self.details(&format!("{count} changed outside of rackform"), &body);
        }
    }

    fn outputs(&mut self, plan: &Plan) {
        let (mut text, mut body) = (String::new(), String::new());
        let _ = super::outputs::changes(&plan.outputs, &STYLE, &mut text);
        if text.is_empty() || self.out.len() + text.len() > self.limit {
            return;
        }
        // The first line is the title.
        text.trim_end().lines().skip(1).for_each(|line| marked(line, &mut body));
        self.details("Changes to outputs", &body);
    }

    fn notes(&mut self, plan: &Plan) {
        let mut shown = 0;
        for note in &plan.notes {
            if self.out.len() + note.text.len() > self.limit {
                break;
            }
            let about = note.address.as_ref();
            let about = about.map(|a| format!("<code>{}</code>: ", html(a.as_str())));
            let help = note.help.as_deref().unwrap_or_default();
            let (help, code) = help.split_once('\n').unwrap_or((help, ""));
            let help = if help.is_empty() { String::new() } else { format!(" {}", escape(help)) };
            self.line(&format!("* {}{}.{help}", about.unwrap_or_default(), escape(&note.text)));
            self.code(code);
            shown += 1;
        }
        if plan.notes.len() > shown {
            let more = words::many(plan.notes.len() - shown, "more note");
            self.line(&format!("* and {more}"));
        }
        if !plan.notes.is_empty() {
            self.out.push('\n');
        }
    }

    /// What is to be pasted into a configuration, below a note.
    fn code(&mut self, code: &str) {
        if code.is_empty() {
            return;
        }
        let fence = fence(code);
        self.line(&format!("\n  {fence}toml"));
        code.lines().for_each(|line| self.line(&format!("  {}", clean(line))));
        self.line(&format!("  {fence}\n"));
    }

    fn details(&mut self, title: &str, body: &str) {
        if body.is_empty() {
            self.line(&format!("**{title}**\n"));
            return;
        }
        let fence = fence(body);
        self.line(&format!("<details><summary><b>{title}</b></summary>\n"));
        self.line(&format!("{fence}diff\n{body}{fence}\n\n</details>\n"));
    }
}

/// Columns at which a sign of ours can stand (`change` and `texts`); further in it is text.
const SIGNS: [usize; 5] = [0, 1, 2, 6, 10];

/// Moves the sign of a line to the first column, where a diff block looks for it.
fn marked(line: &str, out: &mut String) {
    let text = line.trim_start_matches(' ');
    let indent = line.len() - text.len();
    let known = [
        ("+ ", '+', true),
        ("- ", '-', true),
        ("~ ", '!', true),
        ("-/+ ", '!', false),
        ("! ", '-', false),
    ];
    let sign = known.iter().find(|(sign, ..)| SIGNS.contains(&indent) && text.starts_with(sign));
    let (mark, text) = match sign {
        Some((sign, mark, true)) => (*mark, text.strip_prefix(sign).unwrap_or(text)),
        Some((_, mark, false)) => (*mark, text),
        None => (' ', text),
    };
    let indent = indent.saturating_sub(2);
    let _ = writeln!(out, "{mark} {:indent$}{text}", "");
}

/// A fence longer than any run of backticks in the text.
fn fence(body: &str) -> String {
    let (mut longest, mut run) = (0, 0);
    for c in body.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    "`".repeat(3.max(longest + 1))
}

fn html(text: &str) -> String {
    let text = clean(text).to_string();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A text without a meaning in Markdown.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).to_string().chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!' | '&')
        {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Reason;
    use crate::render::samples::{self, change, diff, shown};

    fn render(plan: &Plan, limit: usize) -> String {
        let sources = samples::sources();
        text(&View { plan, sources: &sources, requests: None, style: Style::PLAIN }, limit)
    }

    #[test]
    fn what_destroys_comes_first_and_details_fold() {
        insta::assert_snapshot!(render(&samples::plan(), LIMIT), @r#"
        ### Plan: 3 to add, 1 to change, 2 to destroy, 1 to import, 1 to forget, 1 only in the state

        > [!CAUTION]
        > Goes down with it, though not in this plan: **1,200 VMs, 3 hosts and 3 volumes**.

        <details><summary><b>1 to destroy</b></summary>

        ```diff
          # zone.old will be destroyed: no block declares it any more
        - zone.old [id=6f1f04c2a3714c1f8d3c0a55b6e0c001]
        -     ! takes with it: 3 hosts, 1,200 VMs
                apply --auto-approve needs --allow-destroy 'zone.old=1203'
        ```

        </details>

        <details><summary><b>1 to replace</b></summary>

        ```diff
          # nfs_primary_storage.s must be replaced: url cannot be changed in place
        ! -/+ nfs_primary_storage.s [id=6f1f04c2a3714c1f8d3c0a55b6e0c001]
        !     url = "/old" → "/new"  # forces replacement
        -     ! takes with it: 3 volumes
                apply --auto-approve needs --allow-destroy 'nfs_primary_storage.s=3'
        ```

        </details>

        <details><summary><b>1 to change</b></summary>

        ```diff
          # host.kvm["02"] will be updated in place: it was changed outside of rackform (main.rack.toml:11)
        ! host.kvm["02"] [id=6f1f04c2a3714c1f8d3c0a55b6e0c001]
        !     management_ip = "10.0.1.11" → "10.0.1.12"
        !     zone          = "a" → zone.east (known after apply)  # main.rack.toml:5
        !     password      = (sensitive, changes)
        -     description   = "old"
        ```

        </details>

        <details><summary><b>2 to add</b></summary>

        ```diff
          # host.kvm["01"] will be created (main.rack.toml:8)
        + host.kvm["01"] [id=(known after apply)]
        +     cluster       = cluster.rack (known after apply)
        +     management_ip = "10.0.1.11"
        +     password      = (sensitive)
        +     ssh_port      = 22
        + attach local_primary_storage.scratch → cluster.rack  # main.rack.toml:8
        ```

        </details>

        <details><summary><b>1 to import</b></summary>

        ```diff
          # zone.west will be imported
          <= zone.west
        ```

        </details>

        <details><summary><b>2 only in the state</b></summary>

        ```diff
          # zone.north will be forgotten: its attribute was removed; the object stays
          . zone.north

          # zone.south will change in the state only: prevent_destroy is off
          . zone.south
        ```

        </details>

        <details><summary><b>2 changed outside of rackform</b></summary>

        ```diff
        - zone.north is gone from the cloud
        ! host.kvm["02"]
        !     name = "kvm-02" → "by\u{1b}[2Jhand"
        ```

        </details>

        * <code>local_primary_storage.scratch</code>: cluster 0a5c is attached by somebody else and stays so. rackform import adopts it
        "#);
    }

    #[test]
    fn moves_are_shown_and_those_to_paste_stand_in_a_block() {
        let mut moved = change("host.node[\"01\"]", Action::Record, Reason::Moved);
        moved.previous = Some(samples::address("host.kvm[\"01\"]"));
        let mut update = change("zone.b", Action::Update, Reason::Differs);
        update.previous = Some(samples::address("zone.a"));
        update.diffs = vec![diff("name", shown("a"), shown("b"))];
        let note = crate::plan::Note {
            address: None,
            text: "`a.b` and `a.c` are the same".to_owned(),
            help: Some("say so:\n[[moved]]\nfrom = \"a.b\"".to_owned()),
        };
        let plan = Plan { changes: vec![moved, update], notes: vec![note], ..Plan::default() };
        insta::assert_snapshot!(render(&plan, LIMIT), @r#"
        ### Plan: 0 to add, 1 to change, 0 to destroy, 1 only in the state

        <details><summary><b>1 to change</b></summary>

        ```diff
          # zone.b will be updated in place
          # (moved from zone.a)
        ! zone.b
        !     name = "a" → "b"
        ```

        </details>

        <details><summary><b>1 only in the state</b></summary>

        ```diff
          # host.kvm["01"] has moved to host.node["01"]
        ```

        </details>

        * \`a.b\` and \`a.c\` are the same. say so:

          ```toml
          [[moved]]
          from = "a.b"
          ```
        "#);
    }

    #[test]
    fn an_empty_plan_is_two_lines() {
        let plan = Plan { unchanged: 3, ..Plan::default() };
        insta::assert_snapshot!(render(&plan, LIMIT), @r"
        ### No changes

        The cloud matches the configuration (3 objects compared).
        ");
    }

    #[test]
    fn a_long_plan_is_cut_and_says_so() {
        let create = |n: usize| change(&format!("host.kvm[\"{n}\"]"), Action::Create, Reason::New);
        let mut plan = Plan { changes: (0..10_000).map(create).collect(), ..Plan::default() };
        plan.changes.push(change("zone.old", Action::Delete, Reason::NotInConfiguration));
        let text = render(&plan, LIMIT);
        assert!(text.len() <= LIMIT, "{}", text.len());
        assert!(text.contains("zone.old will be destroyed"));
        assert!(text.contains("changes left out here"));
    }

    #[test]
    fn nothing_in_a_plan_closes_its_block() {
        let mut update = change("zone.east", Action::Update, Reason::Differs);
        update.diffs =
            vec![diff("motd", shown("a\n```\n</details>\n"), shown("b\n````\n- item\n"))];
        let plan = Plan { changes: vec![update], ..Plan::default() };
        insta::assert_snapshot!(render(&plan, LIMIT), @r"
        ### Plan: 0 to add, 1 to change, 0 to destroy

        <details><summary><b>1 to change</b></summary>

        `````diff
          # zone.east will be updated in place
        ! zone.east
        !     motd =
        -         a
        -         ```
        -         </details>
        +         b
        +         ````
        +         - item
        `````

        </details>
        ");
    }
}
