/** Mutations of URIs by seed: scheme, user, host, port, parameters and headers, each as what it is (RFC 3261 §19.1, RFC 3966). */
import { Buffer } from 'node:buffer'
import type { SeededGenerator } from './generator'
import { inflateText, mutateItems, mutateText, oddNumber } from './mutate-text'

const schemes = ['sip', 'sips', 'SIP', 'sIpS', 'tel', 'TEL', 'urn', 'http', 'im', 's', '', '1sip', 'sip-x', 'data']
const users = [
  'alice',
  '+1-201-555',
  'a%40b',
  'a%00',
  '%61lice',
  'a;b=c',
  'a:pw',
  ':',
  'a:',
  '',
  '*21#',
  'a@b',
  '\xc3\xa9',
  '%C3%A9',
]
const hosts = [
  ...['example.com', 'EXAMPLE.com', 'example.com.', 'a_b.c', '-a.b', 'a-.b', '1a', '192.0.2.1', '192.0.2.256', '1.2.3'],
  ...[
    '01.2.3.4',
    '[2001:db8::1]',
    '[2001:DB8:0:0:0:0:0:1]',
    '[::]',
    '[::ffff:192.0.2.1]',
    '[1:2:3:4:5:6:7:8:9]',
    '[::1',
  ],
  ...['::1', '[v1.x]', '[fe80::1%25eth0]', '', 'xn--nxasmq6b', `${'a.'.repeat(130)}b`, 'a..b', '%65xample.com'],
]
const params = [
  ...[
    ';transport=tcp',
    ';TRANSPORT=TCP',
    ';transport=%74cp',
    ';user=phone',
    ';method=INVITE',
    ';method=invite',
    ';ttl=15',
  ],
  ...[
    ';ttl=256',
    ';maddr=239.255.255.1',
    ';lr',
    ';lr=on',
    ';lr=',
    ';ob',
    ';gr',
    ';gr=urn:x',
    ';x',
    ';x=y',
    ';%78=y',
    ';X=y',
  ],
  ...[';', ';;', ';=', ';=a', ';ext=12', ';isub=1', ';phone-context=+1', ';phone-context=a.b', ';a=[::1]', ';a="b"'],
]
const headers = [
  '?a=b',
  '?a',
  '?a=',
  '?=b',
  '?',
  '?a=b&',
  '?a=b&c=d',
  '?subject=x%20y',
  '?a=b&a=c',
  '?body=%0d%0a',
  '?Route=%3Csip:a%3E',
]

/** A changed URI, now and then grown to some 60 KB. The input is left alone. */
export function mutateUri(
  bytes: Uint8Array,
  generator: SeededGenerator,
  donors: readonly Uint8Array[] = [],
): Uint8Array {
  let text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  if (donors.length > 0 && generator.once(8))
    text = spliced(text, Buffer.from(generator.pick(donors)).toString('latin1'), generator)
  for (let round = generator.between(1, 4); round > 0; round -= 1) text = mutateUriText(text, generator)
  if (generator.once(150)) text = inflateText(text, generator, generator.between(1_000, 60_000))
  return Buffer.from(text, 'latin1')
}

/** The same for wire text, one change and never a large one. */
export function mutateUriText(text: string, generator: SeededGenerator): string {
  // Any text comes apart: what is missing is empty.
  const parts = /^([^:]*)(:?)([^@]*@)?([^;?]*)((?:;[^;?]*)*)(.*)$/s.exec(text)
  if (parts === null || generator.once(3)) return mutateText(text, generator)
  let [, scheme = '', colon = '', user = '', hostPort = '', tail = '', header = ''] = parts
  switch (generator.below(8)) {
    case 0:
      scheme = generator.pick(schemes)
      break
    case 1:
      user = generator.once(4) ? '' : `${generator.pick(users)}@`
      break
    case 2:
      user = `${mutateText(user.slice(0, -1), generator)}@`
      break
    case 3:
      hostPort = generator.pick(hosts) + hostPort.replace(/^(\[[^\]]*\]|[^:]*)/, '')
      break
    case 4:
      hostPort = `${hostPort.replace(/:\d*$/, '')}:${oddNumber(generator)}`
      break
    case 5:
      tail += generator.pick(params)
      break
    case 6:
      tail = `;${mutateItems(tail.slice(1).split(';'), generator).join(';')}`
      break
    default:
      header = generator.pick(headers)
  }
  if (generator.once(60)) colon = generator.pick(['', '::', ' :', '://'])
  return scheme + colon + user + hostPort + tail + header
}

/** The beginning of one and the end of the other, cut at a separator. */
function spliced(text: string, other: string, generator: SeededGenerator): string {
  const cut = (from: string): number => {
    const places = [...from.matchAll(/[:@;?&=]/g)]
    return places.length === 0 ? generator.below(from.length + 1) : generator.pick(places).index
  }
  return text.slice(0, cut(text)) + other.slice(cut(other))
}
