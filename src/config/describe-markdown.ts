// Lays out docs/configuration.md: how the configuration is found and read, then one table per section.

import { type Below, defaultText, fieldsBelow, headerText, typeText, variableText } from './describe.ts'
import { tomlValue } from './effective.ts'
import { needsRestart } from './reload.ts'
import { type Field, root } from './shape.ts'

const PREAMBLE = `# Configuration

This page is generated from the schema: \`studs config describe --markdown > docs/configuration.md\`. The same reference as
a commented file: [config/studs.toml](../config/studs.toml). In a terminal: \`studs config describe delivery\`.

## How it is read

1. **The file**: \`--config\`, else \`$STUDS_CONFIG\`, else \`config/studs.toml\` in the working directory, else
   \`/etc/studs/studs.toml\`. A file that is named must exist; without any file the defaults hold. It is
   [TOML](https://toml.io) in UTF-8.
2. **The environment**: \`STUDS__SECTION__KEY\` outranks the file (section and key in any case). Lists are JSON or separated by
   commas, whole sections and entries are JSON: \`STUDS__CREDENTIAL='[{"name": "app", "password_file": "/run/secrets/app"}]'\`.
   An entry of an array of tables is named by its index or by its name, with \`_\` for everything but letters and digits:
   \`STUDS__LISTENER__0__PORT\`, \`STUDS__LISTENER__SUBMISSION__PORT\`, \`STUDS__DOMAIN__EXAMPLE_COM__RETURN_PATH\`. A name that no
   entry has adds one of that name, in lower case. Entries that the file does not give are the default ones. Empty
   variables count as not set.
3. **Secrets**: every secret has a twin with \`_file\` that names a file holding it; one line break at its end is cut. A
   relative name is looked for in \`$CREDENTIALS_DIRECTORY\` (systemd's \`LoadCredential=\`) first. Both twins at once are an error.
4. **The checks**: unknown keys, wrong types and contradictions are errors. All of them are reported at once, each with file
   and line (or variable) and what to do: \`studs config check\`.

Relative paths start at the folder of the file; if that folder is called \`config\`, at its parent, so that \`config/\`, \`certs/\`
and \`data/\` lie side by side. Without a file they start at the working directory.

Units: durations \`"30s"\`, \`"10m"\`, \`"1h 20m"\`, \`"3d"\` (\`ms\`, \`s\`, \`m\`, \`h\`, \`d\`); sizes \`"500B"\`, \`"256KiB"\`, \`"25MiB"\`
(\`kB\`, \`MB\`, \`GB\` are powers of 1000); rates \`"100/min"\`, \`"20/h"\`, \`"5/10s"\`.

## Reload

\`SIGHUP\` reads everything again. The new settings are validated whole first; if anything is wrong, the old ones stay and the
log says what. Otherwise the log names each change. Options marked ↻ take effect after a restart; until then their old
values hold, and new ones that do not go together with them (a wider trusted network, say, beside a listener that the file
no longer has) are refused too.

## What is refused

- **An open relay.** A listener that other machines can reach (its address is not loopback) needs \`auth = "required"\`, or
  trusted networks that are somebody's own: no \`0.0.0.0/0\`, no \`::/0\`, nothing wider than a /8 or, in IPv6, a /32.
  AUTH is offered only under TLS, so \`tls = "none"\` counts as no AUTH, and with \`auth = "required"\` it is refused.
- **Names** that stand twice, and references to a tenant, pool or source that does not exist. The tenant \`default\` always
  exists; it is added where the file does not give it.
- **A next hop** on a loopback or private address without \`allow_private\` in its route, or one that is Studs' own listener.
- **A credential** without a password that is not disabled.
- **Times** that cannot be meant: timeouts of 0 or above 24 d, waits of 0 between attempts.

## Options`

export function markdownReference(): string {
  return `${[PREAMBLE, ...[...root.fields.values()].map(section)].join('\n\n')}\n`
}

function section(field: Field): string {
  const rows = fieldsBelow(field).map(row)
  const title = headerText([field.key], field.node)
  const table = ['| key | type | default | meaning | variable |', '|---|---|---|---|---|', ...rows]
  return `### \`${title}\`\n\n${field.description}${defaults(field)}\n\n${table.join('\n')}`
}

function defaults({ node, default: value }: Field): string {
  if (node.kind !== 'tables' || !Array.isArray(value)) return ''
  if (value.length === 0) return ' None by default.'
  return ` By default:\n\n${value.map((entry) => `- \`${tomlValue(entry)}\``).join('\n')}`
}

function row({ field, path }: Below): string {
  const key = path
    .filter((part) => !part.startsWith('<'))
    .slice(1)
    .join('.')
  const value = field.isRequired ? '*must be given*' : code(defaultText(field))
  const mark = needsRestart(path) ? ' ↻' : ''
  const meaning = field.description.replaceAll('|', '\\|')
  return `| ${code(key)}${mark} | ${typeText(field.node)} | ${value} | ${meaning} | ${code(variableText(path))} |`
}

function code(text: string | undefined): string {
  return text === undefined ? '–' : `\`${text}\``
}
