/** RFC 3263 from zone files to the places where a stack really tries, in their order; nobody answers at any of them. */
import { readFileSync } from 'node:fs'
import { SipStack, type SipStackOptions } from '@carillon/sip-transaction'
import { FakeClock, MemoryNetwork, SeededRandom, ZoneResolver } from '@carillon/sip-transaction/testing'
import { describe, expect, it } from 'vitest'

const zone = ['whole', 'plain', 'broken']
  .map((name) => readFileSync(new URL(`./${name}.zone`, import.meta.url), 'utf8'))
  .join('\n')

const allListeners = ['udp://10.0.0.1:5060', 'tcp://10.0.0.1:5060', 'tls://10.0.0.1:5061', 'udp://[fd00::1]:5060']

/** The places tried in order, or the code of the failure when there is none. */
async function placesOf(uri: string, options: Partial<SipStackOptions> = {}): Promise<string[]> {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock, random: new SeededRandom(1) })
  const resolver = new ZoneResolver({ zone, clock })
  await using stack = await SipStack.create({
    listen: allListeners.slice(0, 3),
    transports: [
      network.factory({ scheme: 'udp', transportName: 'UDP' }),
      network.factory({ scheme: 'tcp', transportName: 'TCP', isReliable: true }),
      network.factory({ scheme: 'tls', transportName: 'TLS', isReliable: true, isSecure: true }),
    ],
    clock,
    random: new SeededRandom(2),
    dns: { resolver },
    limits: { stack: { closeDrainMs: 0 } },
    ...options,
  })
  const places: string[] = []
  stack.on('messageOut', ({ remote }) => {
    const place = `${remote.transport} ${remote.address} ${remote.port}`
    if (!places.includes(place)) places.push(place)
  })
  const failed = stack.request({ method: 'OPTIONS', uri }).then(
    () => 'answered',
    (error: { code: string }) => error.code,
  )
  await clock.advance(600_000)
  const code = await failed
  return places.length === 0 ? [code] : places
}

const cases: readonly (readonly [title: string, uri: string, places: readonly string[], listen?: readonly string[]])[] =
  [
    [
      'RFC 3263 §4.1: NAPTR by order and preference, each with its SRV by priority, each with its addresses',
      'sip:alice@whole.example',
      [
        'TLS 10.0.0.11 5061',
        'TLS 10.0.0.12 5061',
        'TLS 10.0.0.13 5061',
        'TCP 10.0.0.11 5060',
        'TCP 10.0.0.12 5060',
        'TCP 10.0.0.13 5060',
      ],
    ],
    [
      'RFC 3263 §4.1: services that the stack lacks are passed over',
      'sip:alice@whole.example',
      ['UDP 10.0.0.11 5060'],
      ['udp://10.0.0.1:5060'],
    ],
    [
      'RFC 3263 §4.1: sips takes SIPS services only',
      'sips:alice@whole.example',
      ['TLS 10.0.0.11 5061', 'TLS 10.0.0.12 5061', 'TLS 10.0.0.13 5061'],
    ],
    [
      'RFC 3263 §4.1: sips is not sent where there is no TLS',
      'sips:alice@whole.example',
      ['UNREACHABLE'],
      ['udp://10.0.0.1:5060'],
    ],
    [
      'RFC 3263 §4.2: a transport in the URI skips NAPTR',
      'sip:alice@whole.example;transport=tcp',
      ['TCP 10.0.0.11 5060', 'TCP 10.0.0.12 5060', 'TCP 10.0.0.13 5060'],
    ],
    ['RFC 3263 §4.2: a port skips NAPTR and SRV', 'sip:alice@whole.example:5099', ['UDP 10.0.0.19 5099']],
    [
      'RFC 6724: both families where the stack has both',
      'sip:alice@near.whole.example:5099',
      ['UDP fd00::11 5099', 'UDP 10.0.0.11 5099'],
      allListeners,
    ],
    [
      'RFC 3263 §4.1: SRV of each transport without NAPTR',
      'sip:srv.example',
      ['UDP 10.0.0.21 5070', 'TCP 10.0.0.21 5080'],
    ],
    ['RFC 3263 §4.2: addresses without SRV', 'sip:host.example', ['UDP 10.0.0.31 5060']],
    ['RFC 3263 §4.2: the same for sips', 'sips:host.example', ['TLS 10.0.0.31 5061']],
    ['RFC 1034 §3.6.2: aliases are followed', 'sip:alias.host.example', ['UDP 10.0.0.31 5060']],
    [
      'RFC 2782: the root as target means no service, and no address is tried',
      'sip:absent.example',
      ['NAME_NOT_FOUND'],
    ],
    ['RFC 2782: the service that is there is tried', 'sip:udponly.example', ['UDP 10.0.0.42 5060']],
    ['an address needs no zone', 'sip:10.0.0.99:5070', ['UDP 10.0.0.99 5070']],
    ['aliases in a circle are a failure of the name servers', 'sip:circle.example', ['NAME_LOOKUP_FAILED']],
    ['NAPTR that leads to no SRV falls back to the address', 'sip:nowhere.example', ['UDP 10.0.0.51 5060']],
    ['SRV records without a port or an address are passed over', 'sip:holes.example', ['UDP 10.0.0.52 5060']],
    ['NAPTR with other flags or an expression are passed over', 'sip:odd.example', ['UDP 10.0.0.53 5060']],
    ['a name that nobody has', 'sip:nobody.example', ['NAME_NOT_FOUND']],
  ]

describe('locating SIP servers', () => {
  for (const [title, uri, places, listen] of cases) {
    it(title, async () => {
      expect(await placesOf(uri, listen === undefined ? {} : { listen })).toEqual(places)
    })
  }
})
