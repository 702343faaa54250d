//! The devices of our own account: this one's label, and taking others off the list.

use super::Account;
use crate::store::Store;
use crate::{DeviceId, Error, Output};

impl<S: Store + 'static> Account<S> {
    /// Gives this device another label, or none: what people call it, published and signed
    /// (XEP-0384 §5.3.1). Offline, it is published with the next stream; online, a
    /// [`Published`](crate::Event::Published) says when it is. [`Settings::label`](crate::Settings::label)
    /// wins at the next opening, if it is set.
    ///
    /// # Errors
    /// [`Error::Store`]; [`CallerError::Label`](crate::CallerError::Label) for one that has not 1 to
    /// 52 code points, or exactly 32 bytes of UTF-8;
    /// [`CallerError::Removed`](crate::CallerError::Removed).
    pub fn rename(&mut self, label: Option<&str>) -> Result<Output, Error> {
        self.call(|call| call.rename(label))
    }

    /// What people call this device.
    ///
    /// # Errors
    /// [`Error::Store`]; [`CallerError::Removed`](crate::CallerError::Removed)
    pub fn label(&mut self) -> Result<Option<String>, Error> {
        self.ask(|call| Ok(call.account.label.clone()))
    }

    /// Looks at the bundles of our own account, where one node holds them all (omemo:2), and tidies up:
    /// a bundle that is on no list is one that a device left behind, and is removed when it still is on
    /// none a day after it was first seen (a device publishes its bundle before it is listed). Devices
    /// that are listed without a bundle are named: they renew it themselves if they are in use, else
    /// [`remove_device`](Self::remove_device) takes them off. Ends with
    /// [`Event::Repaired`](crate::Event::Repaired). Worth a call now and then, when a person looks at the
    /// account's devices.
    ///
    /// # Errors
    /// [`Error::Store`]; [`CallerError::Offline`](crate::CallerError::Offline);
    /// [`CallerError::Removed`](crate::CallerError::Removed).
    pub fn repair(&mut self) -> Result<Output, Error> {
        self.call(|call| call.repair())
    }

    /// Takes another device of this account off the lists of all protocols and its bundles off the
    /// server: a phone that was lost, or a client that is used no more. Everybody else's entry stays
    /// as it is. Ends with [`Event::DeviceRemoved`](crate::Event::DeviceRemoved); without it, as after
    /// a crash or when the stream broke for good, call it again.
    ///
    /// This says that nobody shall encrypt for the device, and proves nothing: one that still runs
    /// announces itself again, as it must (XEP-0384 §5.3.1), and whoever trusts its key serves it. If
    /// it is in wrong hands, [`decide`](Self::decide) that its key is distrusted, and change the
    /// account's password.
    ///
    /// # Errors
    /// [`Error::Store`]; [`CallerError::OwnDevice`](crate::CallerError::OwnDevice) for this device
    /// itself; [`CallerError::UnknownDevice`](crate::CallerError::UnknownDevice) for one that was
    /// never seen; [`CallerError::Offline`](crate::CallerError::Offline);
    /// [`CallerError::Removed`](crate::CallerError::Removed).
    pub fn remove_device(&mut self, device: DeviceId) -> Result<Output, Error> {
        self.call(|call| call.remove_device(device))
    }
}
