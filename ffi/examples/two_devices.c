/*
 * Two devices talk, and each of them dies at the worst moment.
 *
 *     cc two_devices.c $(pkg-config --cflags --libs omemo) -o two_devices && ./two_devices juliet.omemo romeo.omemo
 *
 * Each phone makes a file for its keys. There is no network: the server is the small one in the middle of this file. It does what
 * a real one does for OMEMO: it keeps what people publish about their devices (XEP-0163), answers questions about it, and carries
 * messages. The part to learn from comes after it, under "A client".
 *
 * Licence: MIT or Apache-2.0.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omemo.h>

/* Ends the program unless the call went well. An app shows the sentence instead and goes on; but to end here is as safe: what a
 * call has returned is on the disk, and a call that never returned has happened as a whole or not at all. */
static void must(omemo_status status, const omemo_account *account, const char *what)
{
    char sentence[512];
    if (status == OMEMO_OK)
        return;
    omemo_last_error(account, sentence, sizeof sentence); /* NULL asks about the account that did not open */
    fprintf(stderr, "%s: %s\n", what, sentence);
    exit(EXIT_FAILURE);
}

static void give_up(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(EXIT_FAILURE);
}

/* `printf` into new memory. */
static char *format(const char *pattern, ...)
{
    va_list values;
    va_start(values, pattern);
    int length = vsnprintf(NULL, 0, pattern, values);
    va_end(values);
    char *text = length < 0 ? NULL : (char *)malloc((size_t)length + 1);
    if (text == NULL)
        give_up("out of memory");
    va_start(values, pattern);
    vsnprintf(text, (size_t)length + 1, pattern, values);
    va_end(values);
    return text;
}

/* Two texts in one; both are freed. */
static char *joined(char *first, char *second)
{
    char *both = format("%s%s", first, second);
    free(first);
    free(second);
    return both;
}

/* A client reads XML with a parser. This server gets by with looking for strings, since it only ever reads what the library
 * wrote: without comments, without CDATA, and without `>` in the values of attributes.
 * Here: where the first start tag with this name begins; NULL if there is none. */
static const char *start_tag(const char *xml, const char *name)
{
    size_t length = strlen(name);
    while ((xml = strchr(xml, '<')) != NULL && (strncmp(xml + 1, name, length) != 0 || strcspn(xml + 1, " />") != length))
        xml++;
    return xml;
}

/* The value of an attribute of a start tag, in new memory; NULL if it has none. */
static char *attribute(const char *tag, const char *name)
{
    char *key = format(" %s=", name);
    const char *end = strchr(tag, '>');
    const char *found = strstr(tag, key);
    char *value = NULL;
    if (found != NULL && end != NULL && found < end) {
        const char *quote = found + strlen(key);
        value = format("%.*s", (int)strcspn(quote + 1, *quote == '"' ? "\"" : "'"), quote + 1);
    }
    free(key);
    return value;
}

/* --- The server ---------------------------------------------------------------------------------------------------------- */

enum { PLACES = 64 };

static struct { char *place, *item; } published[PLACES]; /* a place is a JID, a node and an id */
static struct { char *to, *xml; } waiting[PLACES];       /* messages that nobody has fetched yet */

static void publish(const char *owner, const char *node, const char *item)
{
    const char *end = strstr(item, "</item>");
    char *id = attribute(item, "id");
    if (end == NULL || id == NULL)
        give_up("the server does not understand what is published");
    char *place = format("%s %s %s", owner, node, id);
    free(id);
    size_t at = 0;
    while (at < PLACES && published[at].place != NULL && strcmp(published[at].place, place) != 0)
        at++;
    if (at == PLACES)
        give_up("the server is full");
    free(published[at].place);
    free(published[at].item);
    published[at].place = place;
    published[at].item = format("%.*s</item>", (int)(end - item), item);
}

/* All items of a node, in new memory. */
static char *items_of(const char *owner, const char *node)
{
    char *items = format("<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='%s'>", node);
    char *prefix = format("%s %s ", owner, node);
    for (size_t at = 0; at < PLACES && published[at].place != NULL; at++)
        if (strncmp(published[at].place, prefix, strlen(prefix)) == 0)
            items = joined(items, format("%s", published[at].item));
    free(prefix);
    return joined(items, format("</items></pubsub>"));
}

/* Answers an `<iq/>` of `jid`, in new memory. */
static char *answer(const char *jid, const char *iq)
{
    const char *publishing = start_tag(iq, "publish"), *asking = start_tag(iq, "items"), *item = start_tag(iq, "item");
    const char *node_tag = publishing != NULL ? publishing : asking;
    char *id = attribute(iq, "id"), *to = attribute(iq, "to"), *node = node_tag != NULL ? attribute(node_tag, "node") : NULL;
    const char *owner = to != NULL ? to : jid; /* what is addressed to nobody is for one's own account */
    if (id == NULL)
        give_up("the server does not understand what is asked");
    /* what this server cannot do, such as telling about itself, is an error, which the library can live with */
    char *reply = format("<iq type='%s' id='%s' from='%s'>", node == NULL ? "error" : "result", id, owner);
    if (node == NULL)
        reply = joined(reply, format("<error type='cancel'><feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"));
    else if (publishing != NULL && item != NULL)
        publish(owner, node, item);
    else
        reply = joined(reply, items_of(owner, node));
    free(node);
    free(to);
    free(id);
    return joined(reply, format("</iq>"));
}

/* Takes a `<message/>` of `jid`, and says in it whom it is from, as every server does. */
static void carry(const char *jid, const char *message)
{
    size_t at = 0;
    while (at < PLACES && waiting[at].to != NULL)
        at++;
    if (at == PLACES)
        give_up("the server is full");
    waiting[at].to = attribute(message, "to");
    waiting[at].xml = format("<message from='%s/phone'%s", jid, message + strlen("<message"));
}

/* --- A client ------------------------------------------------------------------------------------------------------------ */

struct device {
    const char *jid, *path;
    omemo_account *account;
    bool dying;         /* whether the phone dies before anything is done with what the next call returns */
    char last_read[80]; /* stands for the client's own history of messages */
};

/* Puts a message into the client's history. Only then does it leave the library's inbox. */
static void store(struct device *device, const omemo_message *message)
{
    const char *body = omemo_message_body(message);
    uint64_t inbox_id = omemo_message_inbox_id(message);
    if (body != NULL) {
        snprintf(device->last_read, sizeof device->last_read, "%s", body);
        printf("%s reads from %s: %s\n", device->jid, omemo_message_from(message), body);
    }
    must(omemo_account_acknowledge(device->account, &inbox_id, 1), device->account, "to acknowledge a message");
}

static void show(struct device *device, const omemo_event *event)
{
    const omemo_recipient *recipient;
    switch (omemo_event_kind_of(event)) {
    case OMEMO_EVENT_MESSAGE:
        store(device, omemo_event_message(event));
        break;
    case OMEMO_EVENT_SEALED: /* it is in the outbox, and is handed out until the server has it */
        printf("%s encrypted message %s for %s\n", device->jid, omemo_event_id(event), omemo_event_jid(event));
        break;
    case OMEMO_EVENT_REFUSED: /* no device of the contact may read it, so nothing was sent */
        for (size_t at = 0; (recipient = omemo_event_unserved(event, at)) != NULL; at++)
            printf("%s cannot write to %s: %s\n", device->jid, omemo_recipient_jid(recipient), omemo_recipient_text(recipient));
        break;
    case OMEMO_EVENT_UNDECRYPTABLE:
        printf("%s cannot read a message of %s: %s\n", device->jid, omemo_event_jid(event), omemo_event_text(event));
        break;
    default: /* an app may ignore every kind that it has no use for */
        break;
    }
}

/* What has to be done with every output: show its events, send its stanzas, free it. */
static void run(struct device *device, omemo_output *output)
{
    const omemo_event *event;
    const omemo_stanza *stanza;
    while (!device->dying && (event = omemo_output_next_event(output)) != NULL)
        show(device, event);
    while (!device->dying && (stanza = omemo_output_next_stanza(output)) != NULL) {
        const char *xml = omemo_stanza_xml(stanza);
        uint64_t ticket;
        if (start_tag(xml, "message") == xml) {
            carry(device->jid, xml); /* now the server has it; a real client learns that from stream management (XEP-0198) */
            if (omemo_stanza_ticket(stanza, &ticket))
                must(omemo_account_sent(device->account, &ticket, 1), device->account, "to note a message as sent");
        } else {
            char *reply = answer(device->jid, xml);
            omemo_output *more = NULL;
            must(omemo_account_receive(device->account, reply, &more), device->account, "to receive an answer");
            free(reply);
            run(device, more);
        }
    }
    omemo_output_free(&output);
}

/* Opens the device's file, which is made if it is not there, and goes online. The handle is freed if there was one; a phone that
 * dies does not even do that. */
static void start(struct device *device)
{
    omemo_output *output = NULL;
    omemo_messages *inbox = NULL;
    device->dying = false;
    omemo_account_free(&device->account);
    must(omemo_account_open(device->path, device->jid, NULL, &device->account), NULL, "to open an account");
    printf("%s starts device %" PRIu32 "\n", device->jid, omemo_account_device(device->account));
    must(omemo_account_inbox(device->account, &inbox), device->account, "to read the inbox");
    for (size_t at = 0; omemo_messages_get(inbox, at) != NULL; at++) /* decrypted, but not yet in the history */
        store(device, omemo_messages_get(inbox, at));
    omemo_messages_free(&inbox);

    char *full_jid = format("%s/phone", device->jid);
    must(omemo_account_online(device->account, full_jid, false, &output), device->account, "to go online");
    free(full_jid);
    run(device, output);
    must(omemo_account_caught_up(device->account, &output), device->account, "to catch up"); /* there is no archive to read */
    run(device, output);
}

static void write_to(struct device *device, const char *jid, const char *id, const char *body)
{
    omemo_output *output = NULL;
    must(omemo_account_send_text(device->account, id, jid, body, &output), device->account, "to send a message");
    run(device, output);
}

/* Receives what the server has for this device. */
static void fetch(struct device *device)
{
    for (size_t at = 0; at < PLACES; at++)
        if (waiting[at].to != NULL && strcmp(waiting[at].to, device->jid) == 0) {
            omemo_output *output = NULL;
            must(omemo_account_receive(device->account, waiting[at].xml, &output), device->account, "to receive a message");
            free(waiting[at].to);
            free(waiting[at].xml);
            waiting[at].to = NULL;
            run(device, output);
        }
}

int main(int count, char **arguments)
{
    if (count != 3)
        give_up("usage: two_devices FILE FILE");
    struct device juliet = { "juliet@capulet.example", arguments[1], NULL, false, "" };
    struct device romeo = { "romeo@montague.example", arguments[2], NULL, false, "" };
    start(&romeo);
    start(&juliet);

    puts("-- Juliet's phone dies while it asks for Romeo's devices; in her history the message is still marked as waiting.");
    juliet.dying = true;
    write_to(&juliet, romeo.jid, "1", "Wherefore art thou Romeo?");
    start(&juliet);
    write_to(&juliet, romeo.jid, "1", "Wherefore art thou Romeo?");

    puts("-- Romeo's phone dies after decrypting the message, before storing it.");
    romeo.dying = true;
    fetch(&romeo);
    start(&romeo);

    puts("-- Romeo answers.");
    write_to(&romeo, juliet.jid, "1", "I take thee at thy word.");
    fetch(&juliet);
    if (strcmp(romeo.last_read, "Wherefore art thou Romeo?") != 0 || strcmp(juliet.last_read, "I take thee at thy word.") != 0)
        give_up("a message did not arrive");
    puts("Both messages arrived.");
    omemo_account_free(&juliet.account);
    omemo_account_free(&romeo.account);
    return EXIT_SUCCESS;
}
