/**
 * A reader that goes through every header of a message once, made from the names that stand in the message, so that none
 * can be left out. It is straight code, as a user would write it: `[message.uri, message.vias, message.from, …]`.
 */
import type { SipMessage } from '@carillon/sip-parser'

/** Reads every header of messages that have the same header names. */
export interface EveryHeader {
  readonly read: (message: SipMessage) => readonly unknown[]
  /** Header lines that are read by a typed getter, and all of them. */
  readonly decodedLines: number
  readonly lines: number
  /** Names of headers that have no typed getter and are read as text. */
  readonly asText: readonly string[]
}

/** Makes the reader. Throws when a getter does not give all that its lines hold. */
export function everyHeader(sample: SipMessage): EveryHeader {
  const lineCounts = new Map<string, number>()
  for (const { name } of sample.headers()) lineCounts.set(name, (lineCounts.get(name) ?? 0) + 1)
  const getters = getterNames(sample)
  const parts = sample.kind === 'request' ? ['message.uri'] : ['message.status']
  const asText: string[] = []
  let decodedLines = 0
  for (const [name, count] of lineCounts) {
    const getter = getterFor(getters, name)
    if (getter === undefined) {
      asText.push(name)
      parts.push(`message.getAll(${JSON.stringify(name)})`)
      continue
    }
    const value: unknown = Reflect.get(sample, getter, sample)
    const found = Array.isArray(value) ? value.length : value === undefined ? 0 : 1
    if (found < count) throw new Error(`${getter} gives ${found} values for ${count} lines of ${name}`)
    decodedLines += count
    parts.push(`message.${getter}`)
  }
  const lines = [...lineCounts.values()].reduce((sum, count) => sum + count, 0)
  const read = new Function('message', `return [${parts.join(', ')}]`) as EveryHeader['read']
  return { read, decodedLines, lines, asText }
}

/** The typed getters of a message, by name in lower case. */
function getterNames(message: SipMessage): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (
    let type: unknown = Object.getPrototypeOf(message);
    type !== Object.prototype;
    type = Object.getPrototypeOf(type)
  ) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(type as object))) {
      if (get !== undefined) names.set(name.toLowerCase(), name)
    }
  }
  return names
}

/** The getter for all values of a header: a list where there is one (`vias` and not `via`), else the value. */
function getterFor(getters: ReadonlyMap<string, string>, headerName: string): string | undefined {
  const plain = headerName.toLowerCase().replaceAll('-', '')
  for (const candidate of [`${plain}s`, `${plain}es`, plain.replace(/y$/, 'ies'), plain]) {
    const getter = getters.get(candidate)
    if (getter !== undefined) return getter
  }
  return undefined
}
