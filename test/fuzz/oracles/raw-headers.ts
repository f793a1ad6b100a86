/** What the raw readers of a message promise: `headers`, `get`, `getAll`, `has` and `toJSON` tell the same story. */
import { headerDefinitions, type SipMessage } from '@carillon/sip-parser'
import { must } from '../engine/failure.ts'

const longNames: ReadonlyMap<string, string> = new Map(
  headerDefinitions.flatMap(({ name, compact }) => {
    const long = name.toLowerCase()
    return compact === undefined ? [] : [[compact.toLowerCase(), long] as const]
  }),
)
/** Distinct names that are looked at, so that a message of many lines is not looked at for ever. */
const namesMax = 24
const secretNames: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'www-authenticate',
  'proxy-authenticate',
  'authentication-info',
])

/** The one spelling of a header's name: lower case, never compact. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase()
  return longNames.get(lower) ?? lower
}

/** Compares the ways to the same raw values. */
export function checkRawHeaders(message: SipMessage): void {
  const lines = [...message.headers()]
  const values = new Map<string, string[]>()
  for (const { name, value } of lines) {
    const known = values.get(canonicalName(name))
    if (known !== undefined) known.push(value)
    else if (values.size < namesMax) values.set(canonicalName(name), [value])
  }
  for (const [name, expected] of values) {
    const all = message.getAll(name)
    const tell = (): string => `${name}: ${JSON.stringify(all)} and ${JSON.stringify(expected)}`
    must(
      all.length === expected.length && all.every((value, at) => value === expected[at]),
      'getAll and headers agree',
      tell,
    )
    must(message.get(name.toUpperCase()) === expected[0] && message.has(name), 'get, has and headers agree', tell)
  }
  must(message.get('X-Not-There') === undefined && !message.has('X-Not-There'), 'absent headers are absent', () => '')
  for (const { name, value } of lines) {
    must(
      !/[\n]|^[ \t]|[ \t]$/.test(value),
      'raw values are unfolded and trimmed',
      () => `${name}: ${JSON.stringify(value)}`,
    )
  }
}

/** What is written into logs: secrets hidden, the rest as it is. */
export function checkLogged(message: SipMessage): void {
  const { headers } = JSON.parse(JSON.stringify(message)) as { headers: { name: string; value: string }[] }
  const lines = [...message.headers()]
  must(headers.length === lines.length, 'toJSON has every header', () => `${headers.length} of ${lines.length}`)
  for (const [at, { name, value }] of headers.entries()) {
    const isSecret = secretNames.has(canonicalName(name))
    const tell = (): string => `${name}: ${JSON.stringify(value)}`
    // The scheme may be shown, never a parameter.
    if (isSecret) must(/^(?:[^\s=",]+ )?\*\*\*$/.test(value), 'toJSON masks secrets', tell)
    else {
      const raw = lines[at]
      must(raw?.name === name && isMaskOf(Buffer.from(value).toString(), raw.value), 'toJSON shows headers', tell)
    }
  }
}

/** True for the value itself, and where it holds a secret of a URI or a digest, for the value with that hidden. */
function isMaskOf(shown: string, value: string): boolean {
  if (shown === value) return true
  if (!/:[^:]*@|authorization=|d-ver/i.test(value)) return false
  let from = 0
  for (const piece of shown.split('***')) {
    const at = value.indexOf(piece, from)
    if (at < 0 || (from === 0 && at > 0)) return false
    from = at + piece.length
  }
  return shown.endsWith('***') || value.endsWith(shown.slice(shown.lastIndexOf('***') + 3))
}
