/* One process of two on the same store: the app, which has a stream, or its notification extension, which never has one.
 *
 * Arguments: the folder, the bare JID, the full JID or "-" for the extension, how many seconds the clock is
 * ahead.
 *
 * The app does what the header asks of an app. It writes every message to a log of its own, durably, and acknowledges it after
 * that; at its start and when it is told to, it reads the inbox, where messages stand that the extension has decrypted. The
 * extension takes what is pushed to it and reads the inbox to show it. It acknowledges nothing and has nothing to
 * send. "reopen" is a new handle, as for a new push.
 *
 * Commands and answers are lines. In: "receive N XML", "send ID JID BODY", "got TICKET", "caught_up", "inbox", "reopen",
 * "clock SECONDS", "ping N". Out: "stanza TICKET XML" (or "-" for no ticket), "handled N", "event KIND TEXT", "pong N"; "failed ..." is the end.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "omemo.h"

/* The library asks the system's clock; this one goes before that, and is ahead by as much as the test says. */
static long ahead;

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = (int)syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += ahead;
  return result;
}

static char path[4096];
static const char *own_jid;
static omemo_account *account;
static bool is_app;

/* The app's log, and the inbox ids that stand in it. */
static int log_file = -1;
static uint64_t *logged;
static size_t logged_count;

static void write_whole(int file, const char *text, size_t length) {
  while (length > 0) {
    ssize_t written = write(file, text, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) exit(3);
    text += written;
    length -= (size_t)written;
  }
}

/* One write a line, so that a kill leaves the line or none as a rule. */
static void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *line = NULL;
  int length = vasprintf(&line, format, arguments);
  va_end(arguments);
  if (length < 0) exit(3);
  write_whole(STDOUT_FILENO, line, (size_t)length);
  free(line);
}

static void expect(omemo_status status, const char *call) {
  if (status == OMEMO_OK) return;
  char sentence[1000] = "";
  omemo_last_error(account, sentence, sizeof sentence);
  say("failed %s: %d %s (%s)\n", call, (int)status, omemo_status_sentence(status), sentence);
  exit(2);
}

static bool is_logged(uint64_t id) {
  for (size_t i = logged_count; i > 0; i--)
    if (logged[i - 1] == id) return true;
  return false;
}

static void note(uint64_t id) {
  logged = realloc(logged, (logged_count + 1) * sizeof *logged);
  if (logged == NULL) exit(3);
  logged[logged_count++] = id;
}

static void open_log(const char *folder) {
  char name[4096], line[4096];
  snprintf(name, sizeof name, "%s/received", folder);
  FILE *old = fopen(name, "r");
  while (old != NULL && fgets(line, sizeof line, old) != NULL) note(strtoull(line, NULL, 10));
  if (old != NULL) fclose(old);
  log_file = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (log_file < 0) exit(3);
}

static void store(const omemo_message *message) {
  uint64_t inbox_id = omemo_message_inbox_id(message);
  const char *id = omemo_message_id(message), *body = omemo_message_body(message);
  if (body == NULL || id == NULL) {
    say("failed a message without its text\n");
    exit(2);
  }
  if (!is_app) return;
  if (!is_logged(inbox_id)) {
    char line[4096];
    int length = snprintf(line, sizeof line, "%llu\t%s\t%s\n", (unsigned long long)inbox_id, id, body);
    write_whole(log_file, line, (size_t)length);
    if (fdatasync(log_file) != 0) exit(3);
    note(inbox_id);
  }
  expect(omemo_account_acknowledge(account, &inbox_id, 1), "acknowledge");
}

static void take(omemo_output *output) {
  const omemo_stanza *stanza;
  while ((stanza = omemo_output_next_stanza(output)) != NULL) {
    uint64_t ticket;
    if (omemo_stanza_ticket(stanza, &ticket)) {
      say("stanza %llu %s\n", (unsigned long long)ticket, omemo_stanza_xml(stanza));
    } else {
      say("stanza - %s\n", omemo_stanza_xml(stanza));
    }
  }
  const omemo_event *event;
  while ((event = omemo_output_next_event(output)) != NULL) {
    if (omemo_event_kind_of(event) == OMEMO_EVENT_MESSAGE) {
      store(omemo_event_message(event));
    } else {
      const char *text = omemo_event_text(event);
      say("event %u %s\n", (unsigned)omemo_event_kind_of(event), text != NULL ? text : "");
    }
  }
  omemo_output_free(&output);
}

static void read_inbox(void) {
  omemo_messages *messages = NULL;
  expect(omemo_account_inbox(account, &messages), "inbox");
  const omemo_message *message;
  for (size_t i = 0; (message = omemo_messages_get(messages, i)) != NULL; i++) store(message);
  omemo_messages_free(&messages);
}

/* The next word of a command; what follows it is left in `rest`. */
static char *word(char **rest) {
  char *start = *rest, *end = strchr(start, ' ');
  if (end == NULL) {
    *rest = start + strlen(start);
  } else {
    *end = '\0';
    *rest = end + 1;
  }
  return start;
}

static void obey(char *rest) {
  omemo_output *output = NULL;
  const char *command = word(&rest);
  if (strcmp(command, "receive") == 0) {
    const char *number = word(&rest);
    expect(omemo_account_receive(account, rest, &output), "receive");
    take(output);
    say("handled %s\n", number);
  } else if (strcmp(command, "send") == 0) {
    const char *id = word(&rest), *jid = word(&rest);
    expect(omemo_account_send_text(account, id, jid, rest, &output), "send");
    take(output);
  } else if (strcmp(command, "got") == 0) {
    uint64_t ticket = strtoull(rest, NULL, 10);
    expect(omemo_account_sent(account, &ticket, 1), "sent");
  } else if (strcmp(command, "caught_up") == 0) {
    expect(omemo_account_caught_up(account, &output), "caught_up");
    take(output);
  } else if (strcmp(command, "inbox") == 0) {
    read_inbox();
  } else if (strcmp(command, "reopen") == 0) {
    omemo_account_free(&account);
    expect(omemo_account_open(path, own_jid, NULL, &account), "open");
  } else if (strcmp(command, "clock") == 0) {
    ahead = strtol(rest, NULL, 10);
  } else if (strcmp(command, "ping") == 0) {
    expect(omemo_account_tick(account, &output), "tick");
    take(output);
    say("pong %s\n", rest);
  } else {
    say("failed to understand %s\n", command);
    exit(2);
  }
}

int main(int count, char **arguments) {
  if (count != 5) return 3;
  omemo_output *output = NULL;
  ahead = strtol(arguments[4], NULL, 10);
  is_app = strcmp(arguments[3], "-") != 0;
  own_jid = arguments[2];
  snprintf(path, sizeof path, "%s/omemo.db", arguments[1]);
  expect(omemo_account_open(path, own_jid, NULL, &account), "open");
  if (is_app) open_log(arguments[1]);
  read_inbox();
  if (is_app) {
    expect(omemo_account_online(account, arguments[3], false, &output), "online");
    take(output);
  }
  char *line = NULL;
  size_t size = 0;
  ssize_t length;
  while ((length = getline(&line, &size, stdin)) > 0) {
    if (line[length - 1] == '\n') line[length - 1] = '\0';
    obey(line);
  }
  free(line);
  free(logged);
  omemo_account_free(&account);
  return 0;
}
