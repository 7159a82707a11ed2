//! Which of the connections that come are served, and which of the others are refused with care: pure
//! counting.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use super::limits::Limits;

/// Why a connection is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There are as many as there may be.
    Full,
    /// Its client has as many as one may have.
    Client,
}

/// A place among those that are served, or are refused with care; to be given back.
#[derive(Debug)]
pub(super) struct Place {
    client: IpAddr,
    is_served: bool,
}

/// Who is served, and who is refused with care.
#[derive(Debug)]
pub(super) struct Admission {
    served: Places,
    refused: Places,
}

impl Admission {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            served: Places::new(limits.connections, limits.per_client),
            refused: Places::new(limits.refusals, limits.refusals_per_client()),
        }
    }

    pub(super) fn admit(&mut self, address: IpAddr) -> Result<Place, Refusal> {
        let client = client(address);
        self.served.take(client)?;
        Ok(Place { client, is_served: true })
    }

    /// A place for a connection that was not admitted, unless too many have one already.
    pub(super) fn refuse(&mut self, address: IpAddr) -> Option<Place> {
        let client = client(address);
        self.refused.take(client).ok()?;
        Some(Place { client, is_served: false })
    }

    pub(super) fn give_back(&mut self, Place { client, is_served }: Place) {
        let places = if is_served { &mut self.served } else { &mut self.refused };
        places.give_back(client);
    }
}

/// A number of places, of which one client may have some.
#[derive(Debug)]
struct Places {
    most: usize,
    per_client: usize,
    taken: usize,
    by_client: HashMap<IpAddr, usize>,
}

impl Places {
    fn new(most: usize, per_client: usize) -> Self {
        Self { most, per_client, taken: 0, by_client: HashMap::new() }
    }

    fn take(&mut self, client: IpAddr) -> Result<(), Refusal> {
        if self.taken >= self.most {
            return Err(Refusal::Full);
        }
        let of_client = self.by_client.entry(client).or_default();
        if *of_client >= self.per_client {
            return Err(Refusal::Client);
        }
        *of_client += 1;
        self.taken += 1;
        Ok(())
    }

    fn give_back(&mut self, client: IpAddr) {
        self.taken -= 1;
        if let Some(of_client) = self.by_client.get_mut(&client) {
            *of_client -= 1;
            if *of_client == 0 {
                self.by_client.remove(&client);
            }
        }
    }
}

/// Whoever has one IPv6 address has all of its network.
fn client(address: IpAddr) -> IpAddr {
    const NETWORK: u128 = u128::MAX << 64;
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission() -> Admission {
        Admission::new(Limits { connections: 3, per_client: 2, refusals: 16 })
    }

    fn admit(admission: &mut Admission, address: &str) -> Result<Place, Refusal> {
        admission.admit(address.parse().unwrap())
    }

    fn refuse(admission: &mut Admission, address: &str) -> Option<Place> {
        admission.refuse(address.parse().unwrap())
    }

    #[test]
    fn nobody_is_served_beyond_the_limit_until_a_place_is_given_back() {
        let mut admission = admission();
        let first = admit(&mut admission, "10.0.0.1").unwrap();
        admit(&mut admission, "10.0.0.2").unwrap();
        admit(&mut admission, "10.0.0.3").unwrap();
        assert_eq!(admit(&mut admission, "10.0.0.4").unwrap_err(), Refusal::Full);
        admission.give_back(first);
        admit(&mut admission, "10.0.0.4").unwrap();
        assert_eq!(admit(&mut admission, "10.0.0.1").unwrap_err(), Refusal::Full);
    }

    #[test]
    fn no_client_takes_the_places_of_all() {
        for [one, same, another, other] in [
            ["10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2"],
            ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:1", "2001:db8:0:1::1"],
        ] {
            let mut admission = admission();
            let place = admit(&mut admission, one).unwrap();
            admit(&mut admission, same).unwrap();
            assert_eq!(admit(&mut admission, another).unwrap_err(), Refusal::Client);
            let of_other = admit(&mut admission, other).unwrap();
            admission.give_back(of_other);
            admission.give_back(place);
            admit(&mut admission, another).unwrap();
        }
    }

    #[test]
    fn refusals_are_bounded_in_all_and_for_each_client() {
        let mut admission = admission();
        let first = refuse(&mut admission, "10.0.0.1").unwrap();
        refuse(&mut admission, "10.0.0.1").unwrap();
        assert!(refuse(&mut admission, "10.0.0.1").is_none(), "an eighth of all is for one client");
        for other in 2..16 {
            refuse(&mut admission, &format!("10.0.0.{other}")).unwrap();
        }
        assert!(refuse(&mut admission, "10.0.0.16").is_none());
        admission.give_back(first);
        refuse(&mut admission, "10.0.0.16").unwrap();
        admit(&mut admission, "10.0.0.1")
            .expect("refusals take no place from those that are served");
    }

    #[test]
    fn clients_that_are_gone_are_forgotten() {
        let mut admission = admission();
        let place = admit(&mut admission, "10.0.0.1").unwrap();
        admission.give_back(place);
        assert!(admission.served.by_client.is_empty());
    }
}
