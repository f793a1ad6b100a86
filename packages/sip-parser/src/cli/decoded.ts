/** What a message's typed getters give, by the names that a program uses, as text. */
import { SipHeaderError } from '../errors'
import { Challenge, Credentials } from '../headers/auth'
import { SecurityMechanism } from '../headers/security'
import { type SipMessage, SipMessageBase } from '../message/message'

/** One getter and its values. */
export interface DecodedHeader {
  readonly name: string
  readonly values: readonly string[]
}

/** Getters that are no header. */
const OTHERS = new Set(['head', 'body', 'bodyLength', 'byteLength', 'contactStar', 'text', 'index'])

/** `via` and `vias` say the same when there is one Via. */
const FIRST_OF: ReadonlyMap<string, string> = new Map([['via', 'vias']])

/** Holds what comes next and what proves the server: shown without values. */
const SECRET = 'authenticationInfo'

const GETTERS = getterNames()

/** Each typed getter that has a value and is well formed. Digests and nonces are left out. */
export function decodedHeaders(message: SipMessage): readonly DecodedHeader[] {
  const decoded: DecodedHeader[] = []
  const own = message.kind === 'request' ? ['method', 'uri'] : ['status', 'reason']
  for (const name of [...own, ...GETTERS]) {
    const found = getterValue(message, name)
    const value = name === 'date' && typeof found === 'number' ? new Date(found).toISOString() : found
    if (name === SECRET && value instanceof Map) {
      decoded.push({ name, values: [...value.keys()].map((key) => `${key}=***`) })
      continue
    }
    const values = (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(textOf)
    if (values.length > 0) decoded.push({ name, values })
  }
  if (message.contactStar) decoded.push({ name: 'contactStar', values: ['true'] })
  return decoded
}

/** The getters of all messages: those of every message first, then those of the classes that it stands on. */
function getterNames(): readonly string[] {
  const names: string[] = []
  for (let at: object = SipMessageBase.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (get !== undefined && !OTHERS.has(name) && !FIRST_OF.has(name)) names.push(name)
  }
  return names
}

function getterValue(message: SipMessage, name: string): unknown {
  try {
    return (message as unknown as Record<string, unknown>)[name]
  } catch (thrown) {
    // What is malformed or missing is reported as a problem.
    if (thrown instanceof SipHeaderError) return undefined
    throw thrown
  }
}

function textOf(value: unknown): string {
  if (value instanceof Credentials || value instanceof Challenge) return authText(value)
  if (value instanceof SecurityMechanism) return value.toJSON()
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Map) return pairs([...value])
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  if (value.toString !== Object.prototype.toString) return String(value)
  return pairs(Object.entries(value))
}

function pairs(entries: readonly (readonly [unknown, unknown])[]): string {
  return entries
    .filter(([, value]) => value !== undefined && !(value instanceof Map && value.size === 0))
    .map(([name, value]) => (value === null ? `${name}` : `${name}=${textOf(value)}`))
    .join(' ')
}

/** Says who and where, not the proof. */
function authText(value: Credentials | Challenge): string {
  const shown = ['username', 'realm', 'algorithm', 'qop', 'uri', 'stale']
  const known = shown.filter((name) => value.params.has(name)).map((name) => `${name}=${value.params.get(name)}`)
  return [value.scheme, ...known].join(' ')
}
