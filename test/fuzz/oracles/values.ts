/** What the typed getters of a message promise: a value or a SipHeaderError, the same each time, fit to be written. */
import { type Problem, SipHeaderError, type SipMessage } from '@carillon/sip-parser'
import { must } from '../engine/failure.ts'

/** Getters that are no header values. */
const others: ReadonlySet<string> = new Set(['text', 'index', 'head', 'body', 'bodyLength'])
const namesByPrototype = new Map<object, readonly string[]>()

/** A getter's value, or why there is none. */
export type Reading = { readonly value: unknown } | { readonly problem: Problem }

/** The names of a message's typed getters, those of later versions included. */
export function getterNames(message: SipMessage): readonly string[] {
  const prototype: object = Object.getPrototypeOf(message)
  const known = namesByPrototype.get(prototype)
  if (known !== undefined) return known
  const names = new Set<string>()
  for (let at = prototype; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (get !== undefined && !others.has(name)) names.add(name)
    }
  }
  namesByPrototype.set(prototype, [...names])
  return [...names]
}

/** Asks every typed getter; anything thrown but a SipHeaderError goes on to the caller. */
export function readAll(message: SipMessage): ReadonlyMap<string, Reading> {
  const readings = new Map<string, Reading>()
  for (const name of getterNames(message)) {
    try {
      readings.set(name, { value: message[name as keyof SipMessage] })
    } catch (thrown) {
      if (!(thrown instanceof SipHeaderError)) throw thrown
      readings.set(name, { problem: thrown.problem })
    }
  }
  return readings
}

/** What was read, as text that two readings can be compared by. */
export function describeAll(readings: ReadonlyMap<string, Reading>): string {
  return JSON.stringify([...readings], (_, value: unknown) => {
    if (value instanceof Map) return [...value]
    return typeof value === 'bigint' ? String(value) : value
  })
}

/** The texts of a value that knows how to write itself; nothing for plain data. */
export function writtenForms(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(writtenForms)
  if (typeof value !== 'object' || value === null || value instanceof Map) return []
  return value.toString === Object.prototype.toString ? [] : [String(value)]
}

/** No text that is written into a message may end a line of it. */
export function checkWritten(name: string, value: unknown): void {
  for (const text of writtenForms(value)) {
    must(!/[\r\n]/.test(text), `what ${name} writes stays on its line`, () => JSON.stringify(text))
  }
}
