/**
 * Writes the configuration reference, in Markdown, from the schema.
 */
import { configKeys } from './keys'

/** The text of docs/reference/config.md, which a test compares with the file. */
export function configReference(): string {
  const rows = configKeys.map((key) => {
    const byDefault = key.default === '' ? '(empty)' : `\`${key.default}\``
    const secret = key.isSecret ? ' Never shown.' : ''
    return `| \`${key.path}\` | \`${key.env}\` | \`--${key.flag}\` | ${key.type} | ${byDefault} | ${key.description}${secret} Accepts ${key.accepts}. |`
  })
  return `${[...INTRODUCTION, ...rows, '', ...EXAMPLE].join('\n')}\n`
}

const INTRODUCTION = [
  '# Configuration',
  '',
  'This page is written by the code (`configReference()` of `@carillon/server`); a test fails when they differ.',
  '',
  'A setting is taken from, the later before the earlier:',
  '',
  '1. its default;',
  '2. the configuration file: `carillon.json` in the data directory, or the file that `--config` or `CARILLON_CONFIG` names, such as one of `config/environments/`;',
  '3. the environment variable;',
  '4. the flag of `carillon start` and `carillon check-config`.',
  '',
  '`carillon check-config` prints every setting in effect with where it came from, secrets masked. A name that does not exist in the file or as a flag, a variable that looks like a mistyped setting, and a value that is not accepted end with one line and exit code 2.',
  '',
  '| file | environment | flag | type | default | meaning |',
  '|---|---|---|---|---|---|',
]

const EXAMPLE = [
  'In the file the dots are levels, and lists and users may be written as JSON:',
  '',
  '```json',
  '{',
  '  "domain": "phones.example.com",',
  '  "sip": { "listen": ["udp://0.0.0.0:5060", "tcp://0.0.0.0:5060"] },',
  '  "media": { "ports": "20000-29999" },',
  '  "users": { "1001": "a password", "1002": "another" }',
  '}',
  '```',
]
