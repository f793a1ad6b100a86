/** Alice calls by a proxy that sends everything to Bob and Carol, or wherever a test says; for the tests of proxying. */
import type { Call } from './call'
import type { IncomingRequest } from './incoming-request'
import type { ProxyOptions, ProxyTargets } from './proxy-options'
import { Scenario } from './scenario'
import type { SipStack } from './stack'

/** What a test sees of them. */
export interface World {
  readonly scenario: Scenario
  readonly alice: SipStack
  readonly proxy: SipStack
  readonly bob: SipStack
  readonly carol: SipStack
  /** INVITEs of the phones, in order. */
  readonly invites: IncomingRequest[]
  readonly results: (number | undefined)[]
}

/** The called phones. */
export const bobUri = 'sip:bob@10.0.0.3'
/** The other one. */
export const carolUri = 'sip:carol@10.0.0.4'
/** A description. */
export const sdp = 'v=0\r\no=a 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

/** Makes them: the proxy sends every request to `targets`. */
export async function world(
  targets: ProxyTargets = bobUri,
  options: ProxyOptions = { recordRoute: true },
): Promise<World> {
  const scenario = new Scenario()
  const alice = await scenario.stack('alice')
  const proxy = await scenario.stack('proxy', { proxy: true })
  const bob = await scenario.stack('bob')
  const carol = await scenario.stack('carol')
  const invites: IncomingRequest[] = []
  const results: (number | undefined)[] = []
  proxy.use(async (request) => {
    const response = await request.proxy(targets, options)
    results.push(response?.status)
  })
  for (const phone of [bob, carol]) {
    phone.method('INVITE', (request) => {
      invites.push(request)
      request.reply(180)
    })
  }
  return { scenario, alice, proxy, bob, carol, invites, results }
}

/** Alice calls through the proxy. */
export const call = (w: World, init = {}) =>
  w.alice.invite('sip:bob@example.com', {
    destination: { transport: 'UDP', address: '10.0.0.2', port: 5060 },
    sdp,
    ...init,
  })

/** Alice calls, and the phone with that INVITE answers. */
export async function answered(w: World, index = 0): Promise<{ a: Call; b: Call }> {
  const calling = call(w)
  calling.catch(() => {})
  await w.scenario.pass(50)
  const accepting = w.invites[index]!.accept({ sdp })
  const [a, b] = await w.scenario.settle(Promise.all([calling, accepting]))
  return { a, b }
}

/** Lets time pass; fails when anything is left in any stack. */
export async function drained(w: World): Promise<void> {
  await w.scenario.pass(200_000)
  const left = [...w.scenario.gauges(), w.proxy.stats().proxied]
  if (left.some((gauge) => gauge !== 0)) throw new Error(`left over: ${left}\n${w.scenario.ladder.join('\n')}`)
}

/** Where the proxy is. */
export const proxyAddress = { transport: 'UDP', address: '10.0.0.2', port: 5060 }
