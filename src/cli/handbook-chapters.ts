// The chapters of docs/bounces.md that are prose: the policy in words, what to do, own rules. The tables of codes and
// names come from handbook.ts.

export const OPENING = `\
# Bounces

<!-- Generated from src/cli/handbook*.ts: \`STUDS_UPDATE=1 vitest run test/bounces-document.test.ts\` writes it anew. -->

Every failure, said in the SMTP dialogue or sent back later as a report, gets one **verdict** from one classifier, and the verdict
decides what happens to the message and to the address. \`studs bounce classify '550 5.1.1 …'\` shows the verdict on a reply,
\`studs bounce explain CODE\` (or a category) prints the section below, \`studs message ID\` tells the story of a message and
\`studs suppress why ADDRESS\` that of an address.

A verdict has a **category** (the stable name), a **code** (the number of its family), a **kind** (hard, soft, block, other), a
**fault** (whose it is), a coarse **class**, an **action** for this message, and the **rule** that decided, with its version.

How it is found: the text, by the operator's own rules, by those of the provider (told by the MX host), then by the general ones;
then the enhanced code; then words that say little; then the basic code. Text goes before codes because \`5.7.1\` is said for
everything. What is refused before \`RCPT\` is about us and never about the recipient.
`

export const POLICY = `\
## From verdicts to suppressions

- **Hard at once.** A hard verdict on a message that failed or came back suppresses the address for the tenant. When the last reply
  was only a temporary one ("450 user unknown" until the message expired), it is a strike instead.
- **Strikes.** A soft verdict is one strike per message that ends so, however often it was tried. Strikes count at least
  \`suppression.strike_spacing\` (24 h) apart; \`suppression.soft_strikes\` (3) of them suppress: \`soft_bounce_limit\`. A delivery clears
  them, and they are forgotten after \`suppression.strike_memory\`.
- **Pending.** While a message is still tried, nothing is decided: it stays in the queue for its life (72 h unless configured).
- **Nobody is suppressed for blocks, content, policy, authentication, rates, our own faults or the unknown**, however often
  they happen. Silence counts only while our own side is known to work.
- **Global.** What several tenants (\`suppression.global_tenants\`, 3) learned separately of an unknown or abandoned mailbox
  counts for all, for \`suppression.global_decay\` (180 d). A tenant may stay out of it with \`use_global = false\`, and nobody
  learns whose mail taught it.
- **Spike breaker.** Hard bounces of one tenant at one site that surge far above what is usual at that hour are an outage or a closing
  provider rather than people leaving. New suppressions are then only pending for \`suppression.spike_hold\` (72 h): a second
  failure afterwards, or in a later surge, confirms them, a delivery drops them.
- **Coming back.** \`studs suppress rm ADDRESS --reason …\` lets an address be mailed again, half-open: the next message goes alone, a
  new hard bounce suppresses again at once, a success clears the history.
- **Complaints** suppress at once, and come back only with \`--force\` and a reason. **Unsubscribe requests** suppress at once for
  the tenant.
- **Taking a mistake back.** \`studs suppress undo --rule R\`, \`--site S\` or \`--since T\` takes back what a rule, a site or a
  provider taught, and shows first what it would do. \`studs suppress why\` of each address tells it afterwards.
`

export const WHAT_TO_DO = `\
## What to do

### When a spam filter refuses the mail

Codes 52 and 53 are about this message, 51 about who sends it. Read the reply: many name a page. Send the same mail to a mailbox of
your own at that provider and look at its headers. Change one thing at a time: links first (a link shortener, a listed domain), then the
domain in From, then form (a text part, a subject, no pictures alone). Sending the same again does harm.

### When a domain has closed

Mail to it fails with 10 or 21. Once you know that it is for good, suppress the whole domain: \`studs suppress add
@example.net --note "closed"\`. A typing error that many make (gmial.com) is best caught where addresses are entered.

### When a provider changes its policy

Many failures of one category begin at one hour at one provider: \`studs top\` and \`studs queue summary\` show it. Read one reply,
follow its link, mend what it names (usually authentication, reverse DNS or rate), then \`studs queue retry --domain …\`. If it
refuses good addresses as unknown, the spike breaker holds the suppressions back; what slipped through goes with
\`studs suppress undo --site … --since …\`.

### When an address of yours is listed

The reply names the list (code 51), or the connection is dropped (59). Find out why before you ask to be taken off: a hacked
account, a bought list, an old list full of traps. Stop that mail, then use the form of the list. Other sources of the pool carry on
meanwhile. Nobody is suppressed for it.

### When authentication fails

Code 50, category \`authentication\`. The sending address must stand in the SPF record of the return-path domain, the DKIM key must
be published, From must agree with one of the two (DMARC), and the PTR record of the address must lead to a name that leads
back.

### When a reply is judged wrongly

\`studs bounce classify\` names the rule. Write a rule of your own that comes before it, as below, and report the reply.
`

export const OWN_RULES = `\
## Rules of your own

\`bounce.rules\` names a TOML file in the form of the shipped rules (\`src/bounce/rules/\`). Its rules are asked before all
shipped ones, and \`studs config check\` and a reload refuse it as a whole when anything in it is wrong, with line and cure. A reload says how many
rules it took over.

\`\`\`toml
[providers]                       # optional: MX hosts whose replies are worth rules of their own
acme = ["mx.acme.example"]

[[rule]]
id = "acme-retired"               # unique, also among the shipped rules
version = 1                       # raise it when the meaning changes: suppressions keep it
scope = "acme"                    # optional: only replies of this provider
match = ['mailbox (retired|gone)', 'E-?4711']   # any of these; regular expressions, case and accents do not matter
unless = 'temporarily'            # optional: where this matches too, the rule says nothing
commands = ["RCPT"]               # optional: only in answer to these
category = "inactive-mailbox"     # one of those below
class = "recipient"               # optional: what it is about, for reports, where most of the category is about something else
action = "fail"                   # optional: fail, retry, retry-elsewhere, slow, suspend
note = "Said since their move."   # optional: shown by bounce classify
samples = ["550 5.7.1 Mailbox retired, E4711"]  # replies that must meet this rule
\`\`\`

Patterns see code and text on one line, with addresses, IP addresses, ids, long numbers and URL queries replaced by \`{addr}\`,
\`{ip}\`, \`{id}\` and \`{n}\`. \`%name%\` stands for a list of words from \`[words]\`, such as \`%box%\` (mailbox, in many
languages). A rule with \`weak = true\` is asked only when the enhanced code says nothing. Tables \`[enhanced]\`, \`[basic]\`,
\`[command]\` and \`[action]\` replace single entries of the shipped ones.

Strangers write the text, so a pattern must not try without end: no repetition within a repetition, \`(a+)+\`. One that takes longer
than 100 ms is passed over for that reply and named in the log (\`rule-too-slow\`); after the third time it is left out until the next reload.

Before you take rules over:

\`\`\`
studs bounce unknown                          # what no rule knows, the most frequent first
studs bounce classify --rules FILE '550 …'    # one reply
studs bounce classify --rules FILE < replies  # many, one per line; --json gives a line of JSON each
studs bounce test-rules FILE --days 7         # which recipients would have been judged otherwise, whom that suppresses
studs reload
\`\`\`
`
