//! Directories of the jail's own: in memory, with the directories that services expect in them.

use std::ffi::CString;

use jail_sys::Failure;
use jail_sys::op::{Directory, Fd, Node, Op, ROOT};

use crate::compile::{Compiler, DATA, NEXT, NODEV, NOSUID, c_string, inner_text};
use crate::plan::{Folder, Mount, MountPlan, Store};

impl Compiler<'_> {
    /// A directory of the jail's own: in the root, in the store for data, or a file system for itself.
    pub(crate) fn fresh(
        &mut self,
        mount: &Mount,
        store: Store,
        top: &Folder,
        folders: &[Folder],
        plan: &MountPlan,
    ) -> Result<(), Failure> {
        let target = inner_text(&mount.target);
        let asked = mount.asked.as_str();
        match store {
            Store::Root => {
                self.fill(asked, ROOT, target, top, folders)?;
                self.add(
                    asked,
                    Op::CloneTree { at: ROOT, path: c_string(target)?, recursive: false, into: NEXT },
                );
                self.set_attr(asked, NEXT, false, NOSUID | NODEV);
            }
            Store::Data => {
                let name = target.replace('/', ".");
                self.fill(asked, Fd::Slot(DATA), &name, top, folders)?;
                let path = c_string(&name)?;
                self.add(asked, Op::CloneTree { at: Fd::Slot(DATA), path, recursive: false, into: NEXT });
            }
            Store::Log => {
                let options = self.tmpfs(&plan.limits.log.to_string(), top)?;
                self.add(
                    asked,
                    Op::NewMount { fs: c"tmpfs".to_owned(), options, attr: NOSUID | NODEV, into: NEXT },
                );
                self.folders(asked, Fd::Slot(NEXT), "", folders)?;
            }
        }
        self.attach(asked, Fd::Slot(NEXT), ROOT, target)
    }

    pub(crate) fn overlay(
        &mut self,
        mount: &Mount,
        (lower, workshop): (&str, &str),
        top: &Folder,
        folders: &[Folder],
    ) -> Result<(), Failure> {
        let asked = mount.asked.as_str();
        let data = Fd::Slot(DATA);
        let name = inner_text(&mount.target).replace('/', ".");
        let (upper, work) = (format!("{name}/upper"), format!("{name}/work"));
        self.make_owned(data, &name, Node::Dir, 0o700, (0, 0))?;
        self.make_owned(data, &work, Node::Dir, 0o700, (0, 0))?;
        self.fill(asked, data, &upper, top, folders)?;
        let by_user = self.by_user();
        let empty = || folders.iter().filter(|folder| folder.empty);
        for folder in empty().filter(|_| !by_user) {
            let path = c_string(&format!("{upper}/{}", folder.path))?;
            self.add(asked, Op::Opaque { root: data, path });
        }
        let lower = match self.estranged() {
            false => lower.to_owned(),
            true => {
                let own = format!("{name}/lower");
                self.make_owned(data, &own, Node::Dir, 0o700, (0, 0))?;
                let tree = self.open(&Mount { writable: false, ..mount.clone() }, lower, None, false)?;
                self.attach(asked, tree, data, &own)?;
                format!("{workshop}/{own}")
            }
        };
        let mut options = vec![
            (c"lowerdir".to_owned(), c_string(&overlay_path(&lower))?),
            (c"upperdir".to_owned(), c_string(&overlay_path(&format!("{workshop}/{upper}")))?),
            (c"workdir".to_owned(), c_string(&overlay_path(&format!("{workshop}/{work}")))?),
        ];
        options.extend(by_user.then(|| (c"userxattr".to_owned(), c"".to_owned())));
        self.add(
            asked,
            Op::NewMount { fs: c"overlay".to_owned(), options, attr: NOSUID | NODEV, into: NEXT },
        );
        self.attach(asked, Fd::Slot(NEXT), ROOT, &mount.target)?;
        // trusted attributes are root's, and older kernels have no others in memory: mounted over what they would hide
        for folder in empty().filter(|_| by_user) {
            let path = c_string(&format!("{upper}/{}", folder.path))?;
            self.add(asked, Op::CloneTree { at: data, path, recursive: false, into: NEXT });
            self.attach(asked, Fd::Slot(NEXT), ROOT, &format!("{}/{}", mount.target, folder.path))?;
        }
        Ok(())
    }

    fn fill(
        &mut self,
        asked: &str,
        root: Fd,
        at: &str,
        top: &Folder,
        folders: &[Folder],
    ) -> Result<(), Failure> {
        self.make_owned(root, at, Node::Dir, top.mode, self.host_ids(top.uid, top.gid))?;
        self.folders(asked, root, at, folders)
    }

    fn folders(&mut self, asked: &str, root: Fd, at: &str, folders: &[Folder]) -> Result<(), Failure> {
        let directory = |folder: &Folder| {
            let (uid, gid) = self.host_ids(folder.uid, folder.gid);
            Ok(Directory { path: c_string(&folder.path)?, mode: folder.mode, uid, gid })
        };
        let directories = folders.iter().map(directory).collect::<Result<Vec<_>, Failure>>()?;
        if !directories.is_empty() {
            self.add(asked, Op::MakeMany { root, path: c_string(at)?, directories });
        }
        Ok(())
    }

    /// Mount options of a tmpfs. The number of files is bounded too: an empty file costs memory and no size.
    pub(crate) fn tmpfs(&self, size: &str, top: &Folder) -> Result<Vec<(CString, CString)>, Failure> {
        let (uid, gid) = self.host_ids(top.uid, top.gid);
        let options = [
            ("size", size.to_owned()),
            ("nr_inodes", "256k".to_owned()),
            ("mode", format!("{:o}", top.mode)),
            ("uid", uid.to_string()),
            ("gid", gid.to_string()),
        ];
        options.iter().map(|(key, value)| Ok((c_string(key)?, c_string(value)?))).collect()
    }
}

/// A path as overlayfs takes it in an option: colons separate and backslashes escape.
fn overlay_path(path: &str) -> String {
    path.replace('\\', "\\\\").replace(':', "\\:")
}
