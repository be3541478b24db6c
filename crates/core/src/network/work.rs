//! `Work`: what the backends are about to do for one jail. Planned, noted in the journal, then done.

use std::os::fd::BorrowedFd;

use jail_net::backend::{Actions, Attached, Backend, Interface, Request, Role, Taken};
use jail_net::plugin::Plugin;
use jail_sys::Failure;

use super::backends::Backends;
use super::plan::NetworkPlan;
use crate::journal::{Entry, Journal};

/// What the backends are about to do.
#[derive(Debug)]
pub(super) struct Work<'a> {
    plan: &'a NetworkPlan,
    backends: &'a Backends,
    pub(super) request: Request,
    /// In the order of the link backends.
    links: Vec<Actions>,
    rules: Actions,
}

impl<'a> Work<'a> {
    /// Asks every backend, all at once, and notes how to undo it.
    pub(super) async fn plan(
        plan: &'a NetworkPlan,
        backends: &'a Backends,
        request: Request,
        journal: &mut Journal,
    ) -> Result<Self, Failure> {
        let all = async {
            let mut links = Vec::new();
            for link in &backends.links {
                links.push(link.plan(&own(plan, link, &request)).await?);
            }
            Ok(links)
        };
        let (links, rules) = tokio::try_join!(all, backends.firewall.plan(&request))?;
        let work = Work { plan, backends, request, links, rules };
        for (link, actions) in backends.links.iter().zip(&work.links) {
            note(Role::Link, link, actions, journal)?;
        }
        note(Role::Firewall, &backends.firewall, &work.rules, journal)?;
        Ok(work)
    }

    /// Whether some link asks a segment for its address first.
    pub(super) fn asks(&self) -> bool {
        self.links.iter().any(|actions| actions.probes)
    }

    /// The links. Where somebody else uses an address, `another` changes the request or refuses, and it is tried
    /// again.
    pub(super) async fn attach_links(
        &mut self,
        netns: BorrowedFd<'_>,
        journal: &mut Journal,
        mut another: impl FnMut(&mut Request, &[Taken], &mut Journal) -> Result<(), Failure>,
    ) -> Result<Vec<Interface>, Failure> {
        let mut interfaces = Vec::new();
        let backends = self.backends;
        for (index, link) in backends.links.iter().enumerate() {
            loop {
                let Attached { interfaces: made, taken } = link.attach(&self.links[index], netns).await?;
                if taken.is_empty() {
                    interfaces.extend(made);
                    break;
                }
                another(&mut self.request, &taken, journal)?;
                let request = own(self.plan, link, &self.request);
                let (links, rules) =
                    tokio::try_join!(link.plan(&request), backends.firewall.plan(&self.request))?;
                note(Role::Link, link, &links, journal)?;
                note(Role::Firewall, &backends.firewall, &rules, journal)?;
                (self.links[index], self.rules) = (links, rules);
            }
        }
        Ok(self.in_order(interfaces))
    }

    /// The rules, once the links are there: some are for an interface, which kernels before 6.16 want to see.
    pub(super) async fn attach_rules(&self, netns: BorrowedFd<'_>) -> Result<(), Failure> {
        self.backends.firewall.attach(&self.rules, netns).await.map(drop)
    }

    /// What the backends do, in their own words.
    pub(super) fn words(&self) -> Vec<String> {
        self.links.iter().chain([&self.rules]).flat_map(|actions| actions.words.clone()).collect()
    }

    /// `eth0` first.
    fn in_order(&self, mut interfaces: Vec<Interface>) -> Vec<Interface> {
        let of = |name: &str| self.request.attachments.iter().position(|wanted| wanted.interface == name);
        interfaces.sort_by_key(|interface| of(&interface.name));
        interfaces
    }
}

/// What a link backend is asked for: its own interfaces.
pub(super) fn own(plan: &NetworkPlan, link: &Plugin, request: &Request) -> Request {
    let all = request.attachments.iter().zip(&plan.attachments);
    let name = link.describe().name;
    let attachments = all.filter(|(_, planned)| planned.link.name == name).map(|(wanted, _)| wanted.clone());
    Request { attachments: attachments.collect(), ..request.clone() }
}

fn note(role: Role, plugin: &Plugin, actions: &Actions, journal: &mut Journal) -> Result<(), Failure> {
    journal.write(Entry::Attachment { role, plugin: plugin.path().to_owned(), undo: actions.undo.clone() })
}
