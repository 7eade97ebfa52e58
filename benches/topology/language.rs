//! What the language costs: many instances, references among them, large values, many modules.
//!
//! In: a directory. Out: a configuration of one kind in it; and, in a process of its own, how long
//! reading and evaluating it takes, without a plan, a cloud or a state.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use rackform::config::{self, Facts, Loader, Need, Outside, ROOT, SourceFile};
use rackform::schema;

use crate::process::Outcome;

/// The argument that makes the benchmark a process that evaluates a directory.
pub const EVALUATE: &str = "evaluate";

const PROVIDER: &str = "[provider.zstack]\nendpoint = \"emulator\"\n\n[zone.east]\n\n";
const SECRET: &str = "[variable.ssh_password]\ntype = \"string\"\nsensitive = true\n\
                      default = '${env(\"ZSTACK_PASSWORD\")}'\n\n";
/// Every host of a rack refers to its cluster.
const HOSTS_PER_RACK: usize = 100;

/// One kind of configuration.
#[derive(Clone, Copy)]
pub enum Shape {
    /// So many hosts, all of one `for_each` over the rows of a CSV, among racks that are clusters.
    Csv(usize),
    /// So many hosts that each refer to one of so many clusters.
    References { hosts: usize, clusters: usize },
    /// So many zones, each with two expressions that look something up in a variable of so many
    /// keys.
    Lookups { zones: usize, keys: usize },
    /// So many instances of a module with a zone, a cluster and two hosts.
    Modules(usize),
}

impl Shape {
    pub fn name(self) -> String {
        match self {
            Self::Csv(hosts) => format!("language: {hosts} hosts of one CSV"),
            Self::References { hosts, clusters } => {
                format!("language: {hosts} references to {clusters} clusters")
            }
            Self::Lookups { zones, keys } => {
                format!("language: {} look-ups in {keys} keys", 2 * zones)
            }
            Self::Modules(count) => format!("language: {count} module instances"),
        }
    }

    /// What is promised of its evaluation.
    pub fn reach(self) -> String {
        match self {
            Self::Csv(100_000) => "< 1.5 s, < 400 MiB".to_owned(),
            Self::References { .. } => "≤ 12 × a tenth of it".to_owned(),
            Self::Lookups { .. } => "≈ with 10 keys".to_owned(),
            Self::Csv(_) | Self::Modules(_) => String::new(),
        }
    }

    /// Writes the configuration into a directory.
    pub fn write(self, dir: &Path) -> std::io::Result<()> {
        match self {
            Self::Csv(hosts) => {
                std::fs::write(dir.join("hosts.csv"), csv(hosts))?;
                std::fs::write(dir.join("main.rack.toml"), hosts_of_csv(hosts))
            }
            Self::References { hosts, clusters } => {
                std::fs::write(dir.join("main.rack.toml"), references(hosts, clusters))
            }
            Self::Lookups { zones, keys } => {
                std::fs::write(dir.join("main.rack.toml"), lookups(zones, keys))
            }
            Self::Modules(count) => {
                let module = dir.join("modules/hall");
                std::fs::create_dir_all(&module)?;
                std::fs::write(module.join("main.rack.toml"), HALL)?;
                std::fs::write(dir.join("main.rack.toml"), halls(count))
            }
        }
    }
}

fn csv(hosts: usize) -> String {
    let mut text = String::from("name,rack,ip,port,serial,note\n");
    for host in 0..hosts {
        let (rack, slot) = (host / HOSTS_PER_RACK, host % HOSTS_PER_RACK);
        let ip = format!("10.{}.{}.{}", host / 62_500, host / 250 % 250, host % 250 + 1);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "r{rack:04}-{slot:02},r{rack:04},{ip},22,SN{host:08},slot {slot}");
    }
    text
}

fn hosts_of_csv(hosts: usize) -> String {
    let racks = hosts.div_ceil(HOSTS_PER_RACK);
    format!(
        r#"{PROVIDER}{SECRET}[cluster.rack]
for_each        = '${{[for n in range({racks}) : format("r%04d", n)]}}'
zone            = "zone.east"
hypervisor_type = "KVM"

[host.kvm]
for_each      = '${{csvdecode(file("${{path.module}}/hosts.csv"))}}'
for_each_key  = "name"
name          = '${{each.value.name}}'
description   = '${{upper(each.value.serial)}}, ${{each.value.note}}'
cluster       = 'cluster.rack["${{each.value.rack}}"]'
management_ip = '${{each.value.ip}}'
ssh_port      = '${{each.value.port}}'
username      = "root"
password      = '${{var.ssh_password}}'
"#
    )
}

fn references(hosts: usize, clusters: usize) -> String {
    format!(
        r#"{PROVIDER}{SECRET}[cluster.rack]
for_each        = '${{[for n in range({clusters}) : format("r%04d", n)]}}'
zone            = "zone.east"
hypervisor_type = "KVM"

[host.kvm]
for_each      = '${{[for n in range({hosts}) : format("%05d", n)]}}'
cluster       = '${{cluster.rack[format("r%04d", tonumber(each.key) % {clusters})]}}'
description   = 'in ${{cluster.rack[format("r%04d", tonumber(each.key) % {clusters})].name}}'
management_ip = '${{cidrhost("10.0.0.0/8", tonumber(each.key) + 1)}}'
username      = "root"
password      = '${{var.ssh_password}}'
"#
    )
}

fn lookups(zones: usize, keys: usize) -> String {
    let mut text = String::from(PROVIDER);
    text.push_str("[variable.big]\ntype = \"map(string)\"\n\n[variable.big.default]\n");
    for key in 0..keys {
        let _ = writeln!(text, "k{key:04} = \"value of {key}\"");
    }
    let _ = write!(
        text,
        r#"
[zone.hall]
for_each    = '${{[for n in range({zones}) : format("%05d", n)]}}'
name        = '${{lookup(var.big, format("k%04d", tonumber(each.key) % {keys}))}} ${{each.key}}'
description = '${{var.big[format("k%04d", tonumber(each.key) % {keys})]}}'
"#
    );
    text
}

const HALL: &str = r#"[variable.number]
type = "number"

[variable.ssh_password]
type      = "string"
sensitive = true

[locals]
net = '${cidrsubnet("10.0.0.0/8", 14, var.number)}'

[zone.hall]
name = 'hall-${var.number}'

[cluster.rack]
zone            = "zone.hall"
hypervisor_type = "KVM"

[host.kvm]
for_each      = ["1", "2"]
cluster       = "cluster.rack"
management_ip = '${cidrhost(local.net, 10 + each.value)}'
username      = "root"
password      = '${var.ssh_password}'

[output.zone]
value = '${zone.hall}'
"#;

fn halls(count: usize) -> String {
    format!(
        r#"{PROVIDER}{SECRET}[module.hall]
source       = "./modules/hall"
for_each     = '${{[for n in range({count}) : tostring(n)]}}'
number       = '${{tonumber(each.key)}}'
ssh_password = '${{var.ssh_password}}'

[local_primary_storage.scratch]
for_each = '${{module.hall}}'
zone     = '${{each.value.zone}}'
url      = "/zstack_ps"
"#
    )
}

/// Reads and evaluates the directory, and prints the seconds that it took.
///
/// # Errors
/// A file cannot be read, or the configuration has mistakes.
pub fn evaluate(dir: &Path) -> Outcome<f64> {
    let started = Instant::now();
    let schemas = schema::load().map_err(|(findings, _)| format!("{findings:?}"))?;
    let mut loader = Loader::default();
    loader.add(ROOT, Ok(files(dir, "")?));
    for module in loader.wanted() {
        loader.add(&module, Ok(files(&dir.join(&*module), &module)?));
    }
    let loaded = loader.finish(&schemas);
    let config = loaded.config.map_err(|findings| format!("{findings:?}"))?;
    let mut facts = Facts::default();
    loop {
        let (desired, _) = config::expand(&config, &schemas, &facts, &loaded.sources)
            .map_err(|findings| format!("{:?}", findings.into_iter().next()))?;
        if desired.needs.is_empty() {
            return Ok(started.elapsed().as_secs_f64());
        }
        answer(dir, desired.needs, &mut facts)?;
    }
}

/// The configuration files of a directory.
fn files(dir: &Path, module: &str) -> std::io::Result<Vec<SourceFile>> {
    let bytes = std::fs::read(dir.join("main.rack.toml"))?;
    Ok(vec![SourceFile { name: format!("{module}/main.rack.toml"), bytes }])
}

fn answer(dir: &Path, needs: BTreeSet<Need>, facts: &mut Facts) -> Outcome<()> {
    for need in needs {
        match &need {
            Need::Env(name) => {
                facts.env.insert(name.clone(), std::env::var(name).ok());
            }
            Need::File(path) => {
                let text = std::fs::read_to_string(dir.join(path))?;
                facts.files.insert(need, Outside::Text(text.into()));
            }
            other => return Err(format!("nobody answers {other:?}").into()),
        }
    }
    Ok(())
}
