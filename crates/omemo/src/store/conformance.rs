//! What every [`Store`] must do, as checks to run against it.
//!
//! [`store_conformance!`](crate::store_conformance) turns each check into a `#[test]` of its own. It
//! takes an expression that makes an empty store and, for a store that can be open more than once,
//! one that makes two handles on the same empty store:
//!
//! ```
//! # #[cfg(test)]
//! mod conformance {
//!     omemo::store_conformance!(omemo::store::MemoryStore::new());
//! }
//! ```

mod boxes;
mod devices;
mod dump;
mod keys;
mod people;
mod sample;
mod sessions;
mod transactions;

pub use boxes::*;
pub use devices::*;
pub use keys::*;
pub use people::*;
pub use sessions::*;
pub use transactions::*;

use crate::store::{Change, Store, StoreError, Transaction};
use sample::juliet;

/// One `#[test]` for each check of [`store::conformance`](crate::store::conformance).
#[macro_export]
macro_rules! store_conformance {
    ($new:expr, twice: $two:expr $(,)?) => {
        $crate::store_conformance!($new);
        $crate::store_conformance!(@each $two;
            a_commit_is_seen_by_the_other_handle,
            a_dropped_transaction_is_not_seen_by_the_other_handle,
            the_handles_take_turns,
        );
    };
    ($new:expr $(,)?) => {
        $crate::store_conformance!(@each $new;
            an_account_is_absent_before_it_is_put,
            an_account_is_kept,
            publications_are_kept,
            pre_keys_are_kept_by_id,
            signed_pre_keys_are_kept_by_id,
            device_lists_are_kept,
            subscribed_lists_are_found,
            devices_are_kept_by_id,
            trust_is_kept_by_curve25519_value,
            decisions_are_found_over_all_accounts,
            key_owners_are_found_by_curve25519_value,
            seen_keys_are_kept,
            duties_are_kept,
            contacts_are_kept,
            opt_outs_are_kept,
            held_decisions_come_in_their_order,
            owed_decisions_are_kept,
            sessions_come_last_used_first,
            newest_sessions_are_one_a_device,
            session_peers_are_named_once,
            a_session_is_replaced_and_keeps_its_skipped_keys,
            a_session_is_deleted_with_its_skipped_keys,
            skipped_keys_are_kept,
            skipped_keys_may_come_before_their_session,
            skipped_keys_beyond_the_newest_come_oldest_first,
            a_thousand_sessions_fit_in_one_transaction,
            the_inbox_is_kept_by_id,
            an_inbox_message_is_unique,
            the_outbox_is_kept_by_ticket,
            an_outbox_message_may_have_many_rows,
            a_transaction_reads_what_it_wrote,
            a_put_replaces,
            a_delete_deletes,
            an_account_is_deleted_with_every_row,
            a_dropped_transaction_leaves_nothing,
            a_transaction_may_follow_a_dropped_one,
            rows_need_their_account,
            skipped_keys_need_their_session,
            accounts_are_apart,
            tidying_changes_no_row,
        );
    };
    (@each $store:expr; $($check:ident,)*) => {
        $(
            #[test]
            fn $check() -> ::std::result::Result<(), $crate::store::StoreError> {
                $crate::store::conformance::$check($store)
            }
        )*
    };
}

/// Writes changes to Juliet's account in a transaction of their own.
fn write(
    store: &mut impl Store,
    changes: impl IntoIterator<Item = Change>,
) -> Result<(), StoreError> {
    let mut rows = store.begin(&juliet())?;
    for change in changes {
        rows.write(change)?;
    }
    rows.commit()
}

#[cfg(test)]
mod tests {
    use crate::store::MemoryStore;

    crate::store_conformance!(MemoryStore::new());
}
