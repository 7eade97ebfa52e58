//! What the schema language cannot say, by name: each with the fact of the API that forced it.

/// Behaviour that the language cannot say. At most ten, each forced by a fact of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// `ReconnectHost` is refused in Maintenance (reference 3.3, HOST.1002): leaving it goes
    /// before other updates; while it stays, `reconnect` is deferred and the plan says so.
    LeaveMaintenanceFirst,
    /// Of a provider: the server cuts blanks off both ends of every text (`APIMessage`, reference
    /// 1.4), so that one with such blanks never reads back as it was sent.
    TrimsText,
    /// A directory in which hosts keep volumes must not start with `/dev`, `/proc` or `/sys`
    /// (`LocalStorageApiInterceptor`, reference 3.4; the test AddLocalStorageCase).
    StoragePath,
    /// `HOST:/PATH`, the path as in `StoragePath` (`NfsApiParamChecker`, reference 3.4).
    NfsUrl,
    /// The server splits `user:password@host` at its colons and takes the second piece (`MonUri`,
    /// reference 3.4), so that a password would be cut off at one.
    NoColon,
    /// Attributes of one row that are `baremetal` together or not at all: a cluster's type and
    /// hypervisor (reference 3.2: the server refuses anything else with SYS.1007).
    BaremetalTogether,
    /// What a LUN is called: where a server offers it, and where a storage stands on it. The two
    /// share no reference, and the server of a LUN that is in use is not let go (reference 4).
    LunName,
    /// `UpdateClusterOS` answers with a long job that it has only started (reference 3.2): the
    /// action is over when that job is (`QueryLongJob`). For actions.
    LongJob,
    /// `KvmRunShell` succeeds when the script fails: its answer has a result for each host, by id
    /// (manual 4.3.10). For actions.
    ShellResults,
}

impl Quirk {
    pub const ALL: [Self; 9] = [
        Self::LeaveMaintenanceFirst,
        Self::TrimsText,
        Self::StoragePath,
        Self::NfsUrl,
        Self::NoColon,
        Self::BaremetalTogether,
        Self::LunName,
        Self::LongJob,
        Self::ShellResults,
    ];

    /// As schema files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeaveMaintenanceFirst => "leave_maintenance_first",
            Self::TrimsText => "trims_text",
            Self::StoragePath => "storage_path",
            Self::NfsUrl => "nfs_url",
            Self::NoColon => "no_colon",
            Self::BaremetalTogether => "baremetal_together",
            Self::LunName => "lun_name",
            Self::LongJob => "long_job",
            Self::ShellResults => "shell_results",
        }
    }
    /// Whether it belongs to actions and not to attributes.
    pub fn of_action(self) -> bool {
        match self {
            Self::LongJob | Self::ShellResults => true,
            Self::LeaveMaintenanceFirst
            | Self::TrimsText
            | Self::StoragePath
            | Self::NfsUrl
            | Self::NoColon
            | Self::BaremetalTogether
            | Self::LunName => false,
        }
    }
}
