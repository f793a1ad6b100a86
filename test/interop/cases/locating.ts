/**
 * Finding servers by name (RFC 3263) with real parts: our stack, dnsmasq as its name server, and two Kamailios of which
 * one dies.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SipStack, type SipStackOptions } from '@carillon/sip-transaction'
import type { InteropCase } from '../case.ts'
import { type DnsRecord, NameServer } from '../support/dns.ts'
import { Kamailio } from '../support/kamailio.ts'
import { freePort, loopback } from '../support/network.ts'

const zone = 'carillon.test'
const service = `_sip._udp.${zone}`
const uri = `sip:bob@${zone}`
const resolutions = 200
/** A dead server over UDP is given up after 64 times T1. */
const timers = { T1: 20, T2: 80 }
const blockedServerMs = 1_500
const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

interface Place {
  readonly name: string
  readonly port: number
  readonly priority: number
  readonly weight: number
}

/** NAPTR, SRV and addresses for servers on loopback. */
function recordsFor(places: readonly Place[]): DnsRecord[] {
  return [
    { type: 'NAPTR', name: zone, order: 10, preference: 10, service: 'SIP+D2U', replacement: service },
    ...places.map(({ name, port, priority, weight }): DnsRecord => {
      return { type: 'SRV', name: service, priority, weight, port, target: `${name}.${zone}` }
    }),
    ...places.map(({ name }): DnsRecord => ({ type: 'A', name: `${name}.${zone}`, address: loopback })),
  ]
}

/** Ends what was begun, the last first. */
class Tidy {
  readonly #ends: (() => Promise<void>)[] = []

  add<T extends { close(options: { graceMs: number }): Promise<void> } | { stop(): Promise<void> }>(thing: T): T {
    this.#ends.push(() => ('stop' in thing ? thing.stop() : thing.close({ graceMs: 0 })))
    return thing
  }

  async all(): Promise<void> {
    for (const end of this.#ends.reverse()) await end()
  }
}

async function withTidy(run: (tidy: Tidy) => Promise<void>): Promise<void> {
  const tidy = new Tidy()
  try {
    await run(tidy)
  } finally {
    await tidy.all()
  }
}

/** A server that counts what reaches it. */
async function countingServer(
  tidy: Tidy,
  answer = 200,
): Promise<{ port: number; count: () => number; stack: SipStack }> {
  const stack = tidy.add(await SipStack.create({ listen: [`udp://${loopback}:0`] }))
  let requests = 0
  stack.method('OPTIONS', (request) => {
    requests++
    request.reply(answer, answer === 503 ? { headers: [['Retry-After', '60']] } : {})
  })
  return { port: stack.listeners[0]?.port ?? 0, count: () => requests, stack }
}

async function client(tidy: Tidy, names: NameServer, more: Partial<SipStackOptions> = {}): Promise<SipStack> {
  const options: SipStackOptions = {
    listen: [`udp://${loopback}:0`],
    dns: { servers: [names.address], hostsFile: false },
    timers,
    limits: { locate: { blockedServerMs } },
    ...more,
  }
  return tidy.add(await SipStack.create(options))
}

async function optionsFrom(stack: SipStack): Promise<{ status: number; server: string }> {
  const response = await stack.request({ method: 'OPTIONS', uri })
  return { status: response.status, server: response.get('Server') ?? '' }
}

function expectThat(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

export const locatingCases: readonly InteropCase[] = [
  {
    name: 'locating: NAPTR, SRV and addresses from dnsmasq, 200 requests spread by weight',
    run: ({ workDir }) =>
      withTidy(async (tidy) => {
        const heavy = await countingServer(tidy)
        const light = await countingServer(tidy)
        const spare = await countingServer(tidy)
        const places = [
          { name: 'heavy', port: heavy.port, priority: 1, weight: 75 },
          { name: 'light', port: light.port, priority: 1, weight: 25 },
          { name: 'spare', port: spare.port, priority: 2, weight: 100 },
        ]
        const names = tidy.add(await NameServer.start(workDir, zone, recordsFor(places)))
        const stack = await client(tidy, names)
        for (let count = 0; count < resolutions; count++) {
          const { status } = await optionsFrom(stack)
          expectThat(status === 200, `request ${count} was answered ${status}`)
        }
        // 75 % of 200 with five standard deviations on either side.
        const share = `${heavy.count()} to ${light.count()}`
        expectThat(heavy.count() + light.count() === resolutions && spare.count() === 0, `spread ${share}, spare used`)
        expectThat(heavy.count() >= 119 && heavy.count() <= 181, `75 to 25 were asked for, ${share} came of it`)
        for (const [type, name] of [
          ['NAPTR', zone],
          ['SRV', service],
          ['A', `heavy.${zone}`],
        ] as const) {
          expectThat(names.questions(type, name) === 1, `${type} ${name} was not asked once:\n${names.tail()}`)
        }
      }),
  },
  {
    name: 'locating: the second server when the first is dead, and when it answers 503',
    run: ({ workDir }) =>
      withTidy(async (tidy) => {
        const busy = await countingServer(tidy, 503)
        const good = await countingServer(tidy)
        const deadPort = await freePort()
        const places = [
          { name: 'dead', port: deadPort, priority: 1, weight: 0 },
          { name: 'busy', port: busy.port, priority: 2, weight: 0 },
          { name: 'good', port: good.port, priority: 3, weight: 0 },
        ]
        const names = tidy.add(await NameServer.start(workDir, zone, recordsFor(places)))
        const stack = await client(tidy, names)
        const first = await optionsFrom(stack)
        expectThat(first.status === 200, `the third server should have answered, but it was ${first.status}`)
        const startedAt = performance.now()
        const second = await optionsFrom(stack)
        expectThat(second.status === 200, `the second request was answered ${second.status}`)
        expectThat(performance.now() - startedAt < 500, 'the second request waited for the dead server again')
        expectThat(busy.count() === 1, `the server that asked to be left alone was asked ${busy.count()} times`)
      }),
  },
  {
    name: 'SRV failover between two Kamailios: calls go on when the first one dies, and come back to it',
    run: ({ workDir }) =>
      withTidy(async (tidy) => {
        const phone = tidy.add(await SipStack.create({ listen: [`udp://${loopback}:0`] }))
        const routes: string[] = []
        phone.method('INVITE', async (request) => {
          routes.push(request.message.recordRoutes[0]?.uri.toString() ?? '')
          await request.accept({ sdp })
        })
        const target = `${loopback}:${phone.listeners[0]?.port}`
        const [onePort, twoPort] = [await freePort(), await freePort()]
        const one = await Kamailio.start(workDir, 'kamailio-one', onePort, target)
        tidy.add(await Kamailio.start(workDir, 'kamailio-two', twoPort, target))
        const places = [
          { name: 'one', port: onePort, priority: 1, weight: 0 },
          { name: 'two', port: twoPort, priority: 2, weight: 0 },
        ]
        const names = tidy.add(await NameServer.start(workDir, zone, recordsFor(places)))
        const stack = await client(tidy, names)
        const call = async (port: number, when: string) => {
          const made = await stack.invite(uri, { sdp })
          await made.bye()
          expectThat((routes.at(-1) ?? '').includes(`:${port}`), `${when} the call went by ${routes.at(-1)}`)
        }
        let isOneUp = true
        try {
          expectThat((await optionsFrom(stack)).server === 'kamailio-one', 'the first Kamailio should have answered')
          await call(onePort, 'with both up')
          isOneUp = false
          await one.stop()
          await call(twoPort, 'with the first one dead')
          expectThat((await optionsFrom(stack)).server === 'kamailio-two', 'the second Kamailio should have answered')
        } finally {
          if (isOneUp) await one.stop()
        }
        tidy.add(await Kamailio.start(workDir, 'kamailio-one', onePort, target))
        await sleep(blockedServerMs + 100)
        await call(onePort, 'with the first one back')
      }),
  },
]
