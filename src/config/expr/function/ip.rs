//! Functions of IP networks, both families.
//!
//! In: prefixes such as `10.0.0.0/16` (an address within it will do), numbers. Out: addresses and
//! prefixes as text. What does not fit into the prefix is refused with the sizes.

use std::net::IpAddr;

use cidr::IpInet;

use super::{Args, Function, Group, Misuse, Outcome};
use crate::value::Value;

const fn row(
    name: &'static str,
    parameters: &'static str,
    run: fn(Args<'_>) -> Outcome,
) -> Function {
    Function::new(Group::Network, (name, parameters), run)
}

pub(super) static TABLE: &[Function] = &[
    row("cidrhost", "prefix, number", host)
        .says("The address with this number in a network; a negative number counts from its end.")
        .example(r#"cidrhost("10.12.112.0/20", 268)"#, r#""10.12.113.12""#),
    row("cidrnetmask", "prefix", netmask)
        .says("The mask of an IPv4 network.")
        .example(r#"cidrnetmask("172.16.0.0/12")"#, r#""255.240.0.0""#),
    row("cidrsubnet", "prefix, newbits, number", subnet)
        .says("The part with this number of a network whose prefix is longer by `newbits`.")
        .example(r#"cidrsubnet("172.16.0.0/12", 4, 2)"#, r#""172.18.0.0/16""#),
    row("cidrsubnets", "prefix, newbits...", subnets)
        .says("Parts of a network one after the other, each with a prefix longer by `newbits`.")
        .example(
            r#"cidrsubnets("10.1.0.0/16", 4, 4, 8)"#,
            r#"["10.1.0.0/20", "10.1.16.0/20", "10.1.32.0/24"]"#,
        ),
];

/// A network: its first address as a number, the length of its prefix, the bits of an address.
#[derive(Clone, Copy)]
struct Network {
    first: u128,
    length: u32,
    bits: u32,
}

impl Network {
    fn read(args: Args<'_>) -> Result<Self, Misuse> {
        let text = args.text(0)?;
        let inet = text.contains('/').then(|| text.parse::<IpInet>().ok()).flatten();
        let Some(inet) = inet else {
            let problem = format!("{text:?} is no prefix such as 10.0.0.0/16");
            return Err(args.wrong(0, problem));
        };
        let (first, bits) = match inet.first_address() {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        Ok(Self { first, length: u32::from(inet.network_length()), bits })
    }

    /// The greatest number of a part of so many bits.
    fn last(bits: u32) -> u128 {
        if bits == 0 { 0 } else { u128::MAX >> (128 - bits) }
    }

    fn address(self, number: u128) -> String {
        if self.bits == 128 {
            return std::net::Ipv6Addr::from(number).to_string();
        }
        // Within a network of 32 bits the number has no more.
        std::net::Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX)).to_string()
    }
}

fn host(args: Args<'_>) -> Outcome {
    let network = Network::read(args)?;
    let number = args.int(1)?;
    let bits = network.bits - network.length;
    let (last, far) = (Network::last(bits), u128::from(number.unsigned_abs()));
    let offset = match number {
        0.. => Some(far).filter(|n| *n <= last),
        // -1 is the last one.
        _ => last.checked_sub(far - 1),
    };
    let offset = offset.ok_or_else(|| {
        let length = network.length;
        args.wrong(1, format!("a prefix of /{length} has {bits} bits for hosts: no host {number}"))
    })?;
    Ok(Value::str(&network.address(network.first + offset)))
}

fn netmask(args: Args<'_>) -> Outcome {
    let network = Network::read(args)?;
    if network.bits != 32 {
        return Err(args.wrong(0, "only IPv4 networks have a mask"));
    }
    let mask = Network::last(32) ^ Network::last(32 - network.length);
    Ok(Value::str(&network.address(mask)))
}

/// The length of a prefix that is longer by an argument.
fn longer(args: Args<'_>, network: Network, at: usize) -> Result<u32, Misuse> {
    let more = args.count(at)?;
    let room = network.bits - network.length;
    match u32::try_from(more) {
        Ok(more) if more <= room => Ok(network.length + more),
        _ => {
            let length = network.length;
            let problem = format!("a prefix of /{length} has {room} bits left, not {more}");
            Err(args.wrong(at, problem))
        }
    }
}

fn subnet(args: Args<'_>) -> Outcome {
    let network = Network::read(args)?;
    let length = longer(args, network, 1)?;
    let number = args.count(2)? as u128;
    let last = Network::last(length - network.length);
    if number > last {
        return Err(args.wrong(2, format!("the numbers of its parts go from 0 to {last}")));
    }
    // With no bits left for hosts there is nothing to shift; with all of them the number is 0.
    let offset = number.checked_shl(network.bits - length).unwrap_or(0);
    Ok(Value::str(&format!("{}/{length}", network.address(network.first + offset))))
}

fn subnets(args: Args<'_>) -> Outcome {
    let network = Network::read(args)?;
    let end = network.first + Network::last(network.bits - network.length);
    let (mut parts, mut next) = (Vec::new(), Some(network.first));
    for at in 1..args.all().len() {
        let length = longer(args, network, at)?;
        if length == network.length {
            return Err(args.wrong(at, "a part needs at least one bit more"));
        }
        let size = Network::last(network.bits - length);
        // Up to the next multiple of its own size.
        let first = next.and_then(|n| n.checked_add(size)).map(|n| n & !size);
        let last = first.and_then(|first| first.checked_add(size)).filter(|last| *last <= end);
        let (Some(first), Some(last)) = (first, last) else {
            let count = at - 1;
            return Err(args.wrong(at, format!("no room for this part after the {count} before")));
        };
        parts.push(Value::str(&format!("{}/{length}", network.address(first))));
        next = last.checked_add(1);
    }
    Ok(Value::list(parts))
}
