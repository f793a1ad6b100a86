/** Subscriptions between two stacks, or a stack and a phone written by hand, for the tests of this folder. */
import type { EventPackage } from '../events/event-package'
import type { NotifierSubscription } from './notifier'
import { headerOf, type Phone } from './phone'
import { Scenario } from './scenario'
import type { SipStack } from './stack'
import type { Notification, SubscribeOptions } from './subscription-options'

/** A package whose state is a word. */
export const words: EventPackage<string> = {
  name: 'word',
  contentType: 'text/plain',
  expiresSeconds: 600,
  forks: 'one',
  read: (body) => {
    const text = Buffer.from(body).toString()
    return text === 'broken' ? { ok: false, reason: 'broken' } : { ok: true, state: text }
  },
  write: (state) => state,
}

/** The same, with a subscription for each fork. */
export const manyWords: EventPackage<string> = { ...words, forks: 'many' }

/** Where bob is. */
export const target = 'sip:bob@10.0.0.2:5060'

/** A subscriber, alice, and a notifier, bob. */
export interface Pair {
  readonly scenario: Scenario
  readonly alice: SipStack
  readonly bob: SipStack
  readonly notifiers: NotifierSubscription<string>[]
  readonly seen: Notification<string>[]
  /** What alice has heard, as `subscription:state`. */
  readonly told: () => string[]
  subscribe(options?: Partial<SubscribeOptions<string>>): ReturnType<SipStack['subscribe']>
}

/** Makes them; bob accepts every SUBSCRIBE. */
export async function pair(accept: { pending?: boolean; expiresSecondsMax?: number } = {}): Promise<Pair> {
  const scenario = new Scenario()
  const alice = await scenario.stack('alice')
  const bob = await scenario.stack('bob')
  const notifiers: NotifierSubscription<string>[] = []
  const seen: Notification<string>[] = []
  bob.method('SUBSCRIBE', (request) => {
    const notifier = request.subscription({ event: words, state: 'first', ...accept })
    if (notifier !== undefined) notifiers.push(notifier)
  })
  return {
    scenario,
    alice,
    bob,
    notifiers,
    seen,
    told: () => seen.map((each) => `${each.subscription}:${each.state}`),
    subscribe: (options) =>
      alice.subscribe(target, { event: words, onNotify: (each) => seen.push(each), ...options }) as never,
  }
}

/** What both have left; all zero when nothing is. */
export const left = (...stacks: SipStack[]) =>
  stacks.flatMap((stack) => [stack.stats().subscriptions, stack.stats().requests, stack.stats().transactions])

/** Answers a request that a phone has got. */
export function answer(
  phone: Phone,
  request: string,
  status: string,
  extra: readonly string[] = [],
  user = 'bob',
): void {
  const names = ['Via', 'From', 'To', 'Call-ID', 'CSeq']
  const lines = names.map((name) => {
    const value = headerOf(request, name)!
    return `${name}: ${name === 'To' && !value.includes('tag=') ? `${value};tag=n` : value}`
  })
  const contact = `Contact: <sip:${user}@${phone.raw.address}:5060>`
  phone.raw.send('10.0.0.1', [`SIP/2.0 ${status}`, ...lines, contact, ...extra, 'Content-Length: 0'])
}

/** Sends a NOTIFY in the dialog that a SUBSCRIBE asks for. */
export function notify(
  phone: Phone,
  subscribe: string,
  body: string,
  cseq: number,
  tag = 'n',
  changes: Readonly<Record<string, string | undefined>> = {},
): void {
  const headers: Record<string, string | undefined> = {
    Via: `SIP/2.0/UDP ${phone.raw.address}:5060;branch=z9hG4bK${tag}${cseq}${Math.abs(body.length)}${Object.keys(changes).join('')}`,
    'Max-Forwards': '70',
    From: `${headerOf(subscribe, 'To')};tag=${tag}`,
    To: headerOf(subscribe, 'From'),
    'Call-ID': headerOf(subscribe, 'Call-ID'),
    CSeq: `${cseq} NOTIFY`,
    Contact: `<sip:bob@${phone.raw.address}:5060>`,
    Event: 'word',
    'Subscription-State': 'active;expires=100',
    'Content-Type': 'text/plain',
    ...changes,
    'Content-Length': `${body.length}`,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  const contact = /<(sip:[^>]+)>/.exec(headerOf(subscribe, 'Contact')!)![1]
  phone.raw.send('10.0.0.1', [`NOTIFY ${contact} SIP/2.0`, ...lines], body)
}
