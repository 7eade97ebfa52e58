//! Accounts and sessions (`AccountManagerImpl`).

use serde_json::{Value, json};
use sha2::{Digest, Sha512};

use super::{Module, Operation, Outcome, Run, nothing};
use crate::emulator::ServerVersion;
use crate::emulator::core::{Call, Core};
use crate::emulator::errors::ApiError;
use crate::emulator::query::{View, shown};
use crate::emulator::store::{Family, Row, Store, Tx, str_of};

/// `AccountConstant.INITIAL_SYSTEM_ADMIN_UUID`.
pub const ADMIN: &str = "36c27e8ff05c4780bf6d2fa65700f22e";
/// `session.timeout`, in milliseconds; fixed from login, not sliding.
const TIMEOUT: i64 = 7_200_000;
/// `identity/session.maxConcurrent`.
const MOST_SESSIONS: usize = 500;

static ACCOUNT: Family = Family {
    name: "account",
    vo: "AccountVO",
    indexes: &["name"],
    soft_delete: false,
    relations: &[],
};
static SESSION: Family = Family {
    name: "session",
    vo: "",
    indexes: &["accountUuid"],
    soft_delete: false,
    relations: &[],
};
static JOB: Family =
    Family { name: "job", vo: "", indexes: &[], soft_delete: false, relations: &[] };
static META: Family =
    Family { name: "meta", vo: "", indexes: &[], soft_delete: false, relations: &[] };

static ACCOUNTS: View = View::plain(
    "QueryAccount",
    &ACCOUNT,
    "org.zstack.header.identity.AccountInventory",
    &["uuid", "name", "description", "type", "createDate", "lastOpDate"],
);

pub static MODULE: Module = Module {
    families: &[&ACCOUNT, &SESSION, &JOB, &META],
    views: &[&ACCOUNTS],
    operations: &[
        Operation { api: "LogInByAccount", check: nothing, run: Run::Effect(log_in) },
        Operation { api: "LogOut", check: nothing, run: Run::Effect(log_out) },
        Operation { api: "ValidateSession", check: nothing, run: Run::Effect(validate) },
        Operation { api: "RenewSession", check: nothing, run: Run::Effect(renew) },
    ],
};

/// The account that exists from the start: admin, sha512("password").
pub fn ensure_admin(core: &Core) {
    core.with(|tx| {
        if tx.store.get("account", ADMIN).is_none() {
            put_account(tx, (ADMIN, "admin", "SystemAdmin"), "password");
        }
    });
}

/// Adds an account; the password is kept as the client sends it, hashed.
pub fn put_account(tx: &mut Tx<'_>, (uuid, name, kind): (&str, &str, &str), password: &str) {
    let hash: String = Sha512::digest(password).iter().map(|byte| format!("{byte:02x}")).collect();
    let row = json!({ "uuid": uuid, "name": name, "type": kind, "passwordHash": hash,
                      "createDate": tx.now, "lastOpDate": tx.now });
    tx.put("account", uuid, row.as_object().cloned().unwrap_or_default());
}

/// Opens a session of the admin account, without a password.
pub fn put_admin_session(tx: &mut Tx<'_>, session: &str) {
    let row = json!({ "uuid": session, "accountUuid": ADMIN, "userUuid": ADMIN,
                      "createDate": tx.now, "expiredDate": tx.now + TIMEOUT });
    tx.put("session", session, row.as_object().cloned().unwrap_or_default());
}

fn log_in(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let found = tx.store.table("account").find("name", call.text("accountName")).next().cloned();
    let account = found.filter(|row| str_of(row, "passwordHash") == call.text("password"));
    let account =
        account.ok_or_else(|| ApiError::new("ID.1000", "wrong account name or password"))?;
    let uuid = str_of(&account, "uuid");
    if live_sessions(tx, uuid) >= MOST_SESSIONS {
        let code = match call.version {
            // The reference names a code for 5.2 only; operr is what 3.0 raises by default.
            ServerVersion::V3_0 => "SYS.1006",
            ServerVersion::V5_2 => "ID.1006",
        };
        return Err(ApiError::new(
            code,
            format!(
                "Login sessions hit limit of max allowed concurrent login sessions, max allowed: {MOST_SESSIONS}"
            ),
        ));
    }
    let row = json!({ "uuid": call.fresh, "accountUuid": uuid, "userUuid": uuid,
                      "createDate": tx.now, "expiredDate": tx.now + TIMEOUT });
    let row = row.as_object().cloned().unwrap_or_default();
    tx.put("session", &call.fresh, row.clone());
    Ok(session(&row))
}

fn live_sessions(tx: &Tx<'_>, account: &str) -> usize {
    let expires = |row: &Row| row.get("expiredDate").and_then(Value::as_i64).unwrap_or(0);
    tx.store
        .table("session")
        .find("accountUuid", account)
        .filter(|row| expires(row) > tx.now)
        .count()
}

fn session(row: &Row) -> Value {
    let members: Row =
        row.iter().map(|(name, value)| (name.clone(), shown(name, value.clone()))).collect();
    json!({ "inventory": members })
}

fn log_out(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    tx.erase("session", call.text("sessionUuid"));
    Ok(Value::Null)
}

fn is_live(store: &Store, session: &str, now: i64) -> bool {
    crate::emulator::core::check_session(store, session, now).is_ok()
}

fn validate(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    Ok(json!({ "valid": is_live(tx.store, call.text("sessionUuid"), tx.now) }))
}

fn renew(tx: &mut Tx<'_>, call: &Call) -> Outcome {
    let uuid = call.text("sessionUuid");
    if !is_live(tx.store, uuid, tx.now) {
        return Err(ApiError::session());
    }
    let millis = call.values.get("duration").and_then(Value::as_i64).map_or(TIMEOUT, |s| s * 1000);
    let row = tx.patch("session", uuid, &[("expiredDate", json!(tx.now + millis))]);
    Ok(row.map_or(Value::Null, |row| session(&row)))
}
