//! Renamed without a word: the plan says what to write, and that is all that is needed.

use super::{HALL, applied, apply, configure, is_settled, renamed, sent};

#[test]
fn the_moves_that_a_plan_prints_can_be_pasted() {
    let (cloud, rackform) = applied(HALL);
    configure(&rackform, &cloud, &renamed());
    let plan = rackform.run(&["plan"]).expect(0);
    plan.clone().says(&["4 objects to destroy are the same as 4 to create", "5 to destroy"]);
    let paste: Vec<&str> = plan
        .stdout
        .lines()
        .map(str::trim)
        .filter(|line| ["[[moved]]", "from =", "to   ="].iter().any(|s| line.starts_with(s)))
        .collect();
    configure(&rackform, &cloud, &(renamed() + &paste.join("\n") + "\n"));
    apply(&rackform).expect(0);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    is_settled(&rackform, &cloud);
}
