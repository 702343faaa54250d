//! `omemo room`: to be in rooms, to write to them, and to read what is written there.

use std::time::Duration;

use clap::Subcommand;
use omemo::{BareJid, Chat, Element, UnservedReason};
use omemo_tokio::{Archive, Event};

use crate::args::Listen;
use crate::failure::Failure;
use crate::home::Home;
use crate::listen;
use crate::live::{Live, password};
use crate::report::Report;
use crate::send;

/// How long a room may take to say who its members are.
const PATIENCE: Duration = Duration::from_secs(60);

const OWNER: &str = "http://jabber.org/protocol/muc#owner";
const ADMIN: &str = "http://jabber.org/protocol/muc#admin";

#[derive(Debug, Subcommand)]
pub(crate) enum RoomCommand {
    /// See whether encrypted messages can be sent to a room, and who would get them
    #[command(after_help = "\
Examples:
  omemo room join orchard@rooms.example
  omemo room join orchard@rooms.example --create --member romeo@montague.example

What is said in the room from now on, omemo room listen prints, whenever it is called.
A room has to show the real JIDs of its members; one that is made with --create does, and lets
only members in.")]
    Join {
        #[command(flatten)]
        place: Place,
        /// Make the room, or configure one of ours: only members may enter, and all see who they are
        #[arg(long)]
        create: bool,
        /// Make this account a member; only admins and owners of the room can
        #[arg(long = "member", value_name = "JID")]
        members: Vec<BareJid>,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Encrypt a message for all members of a room, and wait until the server has it
    Send {
        #[command(flatten)]
        place: Place,
        /// What
        #[arg(allow_hyphen_values = true)]
        text: String,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Print the messages of a room as they arrive, those first that were missed
    Listen(ListenRoom),
}

/// What `omemo room listen` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct ListenRoom {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    options: Listen,
}

/// A room, and who we are in it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Place {
    /// Which room
    #[arg(value_name = "ROOM")]
    pub(crate) room: BareJid,
    /// What others see us called there [default: what stands before the @ of our JID]
    #[arg(long, value_name = "TEXT")]
    nick: Option<String>,
}

impl Place {
    fn nick(&self, home: &Home) -> String {
        let usual = || {
            let own = home.jid().as_str();
            own.split_once('@')
                .map_or(own, |(local, _)| local)
                .to_owned()
        };
        self.nick.clone().unwrap_or_else(usual)
    }
}

impl RoomCommand {
    /// Whether scripts read the output.
    pub(crate) const fn is_json(&self) -> bool {
        match self {
            Self::Join { json, .. } | Self::Send { json, .. } => *json,
            Self::Listen(listen) => listen.options.json,
        }
    }
}

pub(crate) async fn room(home: &Home, command: RoomCommand, report: Report) -> Result<(), Failure> {
    match command {
        RoomCommand::Join {
            place,
            create,
            members,
            ..
        } => join(home, &place, create, &members, report).await,
        RoomCommand::Send { place, text, .. } => write(home, &place, &text, report).await,
        RoomCommand::Listen(ListenRoom { place, options }) => {
            listen::listen(home, &options, Some(&place), report).await
        }
    }
}

async fn join(
    home: &Home,
    place: &Place,
    create: bool,
    members: &[BareJid],
    report: Report,
) -> Result<(), Failure> {
    let mut live = Live::start(home, home.account()?, password(home)?)?;
    live.ready().await?;
    let room = place.room.clone();
    let archive = home.room_archive(&room);
    live.client
        .join(room.clone(), place.nick(home), archive)
        .await?;
    if create {
        ask(&live, &room, &configuration(&room)).await?;
    }
    for member in members {
        ask(&live, &room, &membership(&room, member)).await?;
    }
    if create || !members.is_empty() {
        // what it has said until now was about the room as it was
        let again = room.clone();
        live.client
            .call(move |account| account.enter(&again))
            .await?;
    }
    ready(&mut live, place, create, report).await?;
    caught_up(&mut live, &room).await?;
    live.quit().await
}

async fn write(home: &Home, place: &Place, text: &str, report: Report) -> Result<(), Failure> {
    send::check(text)?;
    let mut live = Live::start(home, home.account()?, password(home)?)?;
    live.ready().await?;
    let room = place.room.clone();
    // what others say meanwhile is for omemo room listen
    live.client
        .join(room.clone(), place.nick(home), Archive::Off)
        .await?;
    await_room(&mut live, &room, false).await?;
    send::write(live, Chat::Room(room), text, report).await
}

/// Joins, and says who the members are; from here on the room's messages come.
pub(crate) async fn enter(
    live: &mut Live<'_>,
    home: &Home,
    place: &Place,
    report: Report,
) -> Result<(), Failure> {
    let archive = home.room_archive(&place.room);
    live.client
        .join(place.room.clone(), place.nick(home), archive)
        .await?;
    ready(live, place, false, report).await
}

async fn ready(
    live: &mut Live<'_>,
    place: &Place,
    create: bool,
    report: Report,
) -> Result<(), Failure> {
    loop {
        let lacking = await_room(live, &place.room, create).await?;
        let room = place.room.clone();
        let members = live.client.ask(move |account| account.members(&room));
        // what was ready then may be asked anew by now
        if let Some(members) = members.await? {
            report.room(&place.room, &members, &lacking)?;
            return Ok(());
        }
    }
}

/// Waits until the members of a room are known; gives what is not. One that is being made is
/// anonymous at first.
async fn await_room(
    live: &mut Live<'_>,
    room: &BareJid,
    create: bool,
) -> Result<Vec<String>, Failure> {
    let waiting = async {
        loop {
            match live.next().await? {
                Event::Account(omemo::Event::RoomReady {
                    room: of, lacking, ..
                }) if of == *room => return Ok(lacking),
                Event::Account(omemo::Event::RoomRefused { room: of, reason })
                    if of == *room && !(create && reason == UnservedReason::RoomAnonymous) =>
                {
                    return Err(Failure::told(format!(
                        "no encrypted message can be sent to {room}: {reason}"
                    )));
                }
                _ => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.map_err(|_| {
        Failure::told(format!(
            "{room} does not say in time who its members are. Try again later"
        ))
    })?
}

/// Waits until the room's archive was read, so that we know where to go on.
async fn caught_up(live: &mut Live<'_>, room: &BareJid) -> Result<(), Failure> {
    let waiting = async {
        loop {
            match live.next().await? {
                Event::RoomCaughtUp { room: of } if of == *room => return Ok(()),
                _ => {}
            }
        }
    };
    let late = |_| Failure::told(format!("the archive of {room} does not answer in time"));
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .map_err(late)?
}

/// Asks a room for something that it may refuse.
async fn ask(live: &Live<'_>, room: &BareJid, iq: &str) -> Result<(), Failure> {
    let iq = omemo::xml::parse(iq).map_err(|error| Failure::told(error.to_string()))?;
    let answer = live.client.request(iq).await?;
    if answer.attr("type") == Some("result") {
        return Ok(());
    }
    let reason = answer
        .children()
        .find(|child| child.name() == "error")
        .and_then(|error| error.children().next())
        .map_or("an error", Element::name);
    Err(Failure::told(format!(
        "{room} refuses to be configured: {reason}. Only its owners and admins can do that"
    )))
}

/// Only members may enter, everybody sees who they are, and it stays when all are gone.
fn configuration(room: &BareJid) -> String {
    let fields: String = [
        ("FORM_TYPE", "http://jabber.org/protocol/muc#roomconfig"),
        ("muc#roomconfig_membersonly", "1"),
        ("muc#roomconfig_whois", "anyone"),
        ("muc#roomconfig_persistentroom", "1"),
    ]
    .iter()
    .map(|(field, value)| format!("<field var='{field}'><value>{value}</value></field>"))
    .collect();
    format!(
        "<iq type='set' to='{room}'><query xmlns='{OWNER}'><x xmlns='jabber:x:data' type='submit'>\
         {fields}</x></query></iq>"
    )
}

fn membership(room: &BareJid, member: &BareJid) -> String {
    format!(
        "<iq type='set' to='{room}'><query xmlns='{ADMIN}'>\
         <item affiliation='member' jid='{member}'/></query></iq>"
    )
}
