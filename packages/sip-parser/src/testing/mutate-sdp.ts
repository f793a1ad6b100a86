/** Mutations of session descriptions by seed: lines, letters, attributes, ports, formats, line ends (RFC 8866). */
import { Buffer } from 'node:buffer'
import type { SeededGenerator } from './generator'
import { inflateText, mutateItems, mutateText, oddNumber } from './mutate-text'

const letters = [...'vosiuepcbtrzkam', 'x', 'A', '', '\xe9', 'aa']
/** Lines of each kind, the values right and wrong. */
const samples = [
  ...['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 's=', 'i=about', 'u=http://example.com', 'e=a@b', 'p=+1', 'z=0 1h'],
  ...[
    'c=IN IP4 192.0.2.1',
    'c=IN IP6 2001:db8::1',
    'c=IN IP4 0.0.0.0',
    'c=IN IP4 224.2.1.1/127/3',
    'c=IN IP4 a.example',
  ],
  ...['b=AS:64', 'b=TIAS:64000', 't=0 0', 't=3034423619 3042462419', 'r=7d 1h 0 25h', 'k=clear:x'],
  ...['m=audio 9 RTP/AVP 0', 'm=audio 0 RTP/AVP 0', 'm=video 9/2 RTP/SAVPF 96 97', 'm=image 9 udptl t38'],
  ...['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'm=audio 9 RTP/SAVP 0 8 101', 'm=text 9 TCP/MSRP *'],
  ...[
    'a=sendrecv',
    'a=sendonly',
    'a=inactive',
    'a=rtpmap:96 opus/48000/2',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:96 VP8/90000',
  ],
  ...[
    'a=fmtp:96 useinbandfec=1;stereo=0',
    'a=fmtp:101 0-16',
    'a=ptime:20',
    'a=maxptime:0',
    'a=ptime:2.5',
    'a=rtcp:9 IN IP4 0.0.0.0',
  ],
  ...[
    'a=rtcp-mux',
    'a=rtcp-mux:x',
    'a=rtcp-rsize',
    'a=rtcp-fb:* nack pli',
    'a=rtcp-fb:96 ccm fir',
    'a=mid:0',
    'a=mid:a b',
  ],
  ...['a=group:BUNDLE 0 1', 'a=group:LS', 'a=bundle-only', 'a=setup:actpass', 'a=setup:active', 'a=ice-ufrag:abcd'],
  ...[
    'a=ice-pwd:abcdefghijklmnopqrstuv',
    'a=ice-options:trickle ice2',
    'a=ice-lite',
    'a=end-of-candidates',
    'a=ice-pacing:50',
  ],
  ...[
    'a=candidate:1 1 UDP 2130706431 192.0.2.1 9 typ host',
    'a=candidate:1 1 udp 1 a.local 9 typ srflx raddr ::1 rport 9',
  ],
  ...['a=fingerprint:sha-256 AB:CD', `a=fingerprint:sha-1 ${'4A:'.repeat(19)}AB`, 'a=tls-id:abc3de65cddef001be82'],
  ...[
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4',
    'a=crypto:0 X inline:',
  ],
  ...[
    'a=ssrc:1 cname:x',
    'a=ssrc-group:FID 1 2',
    'a=msid:a b',
    'a=msid:-',
    'a=extmap:1/sendonly urn:x',
    'a=extmap-allow-mixed',
  ],
  ...[
    'a=T38FaxVersion:0',
    'a=T38MaxBitRate:14400',
    'a=T38FaxRateManagement:transferredTCF',
    'a=T38FaxUdpEC:t38UDPRedundancy',
  ],
  ...['a=', 'a=:', 'a=:x', 'a=x:', 'a=x', 'a=__proto__:1', 'a=constructor', 'm=', 'c=', 'o=', '', ' ', 'junk', '=x'],
]
const protocols = [
  'RTP/AVP',
  'RTP/SAVP',
  'RTP/AVPF',
  'RTP/SAVPF',
  'UDP/TLS/RTP/SAVPF',
  'udptl',
  'rtp/avp',
  'TCP',
  'UDP',
  '',
]

/** A changed description, now and then grown to some 64 KB. The input is left alone. */
export function mutateSdp(
  bytes: Uint8Array,
  generator: SeededGenerator,
  donors: readonly Uint8Array[] = [],
): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const end = text.includes('\r\n') ? '\r\n' : '\n'
  let lines = text.split(end)
  for (let round = generator.between(1, 5); round > 0; round -= 1) lines = mutateLines(lines, generator, donors)
  if (generator.once(150)) lines = inflated(lines, generator)
  const changed = lines.join(generator.once(30) ? generator.pick(['\n', '\r\n', '\r', '\n\n', '\r\r\n']) : end)
  return Buffer.from(generator.once(20) ? mutateText(changed, generator) : changed, 'latin1')
}

function mutateLines(lines: readonly string[], generator: SeededGenerator, donors: readonly Uint8Array[]): string[] {
  const changed = [...lines]
  const at = generator.below(lines.length)
  const line = lines[at] ?? ''
  switch (generator.below(10)) {
    case 0:
      return mutateItems(lines, generator)
    case 1:
      changed.splice(at, 0, generator.pick(samples))
      break
    case 2:
      changed[at] = generator.pick(samples)
      break
    case 3:
      changed[at] = generator.pick(letters) + line.slice(1)
      break
    case 4:
      if (donors.length > 0) changed.splice(at, 0, ...donated(generator.pick(donors), generator))
      break
    case 5:
      changed[at] = changedMedia(line, generator)
      break
    case 6:
      changed.push(generator.pick(samples))
      break
    default:
      changed[at] = line.slice(0, 2) + mutateText(line.slice(2), generator)
  }
  return changed
}

/** Another port, protocol or list of formats for an `m=` line; an `m=` line instead of any other. */
function changedMedia(line: string, generator: SeededGenerator): string {
  const [media = 'm=audio', port = '9', protocol = 'RTP/AVP', ...formats] = line.startsWith('m=') ? line.split(' ') : []
  switch (generator.below(3)) {
    case 0:
      return [media, oddNumber(generator), protocol, ...formats].join(' ')
    case 1:
      return [media, port, generator.pick(protocols), ...formats].join(' ')
    default:
      return [media, port, protocol, ...mutateItems([...formats, oddNumber(generator)], generator)].join(' ')
  }
}

/** Some lines in a row of another description. */
function donated(donor: Uint8Array, generator: SeededGenerator): string[] {
  const lines = Buffer.from(donor).toString('latin1').split(/\r?\n/)
  const from = generator.below(lines.length)
  return lines.slice(from, from + generator.between(1, 8))
}

/** Grown by one line that is long, or by one that is there very often. */
function inflated(lines: readonly string[], generator: SeededGenerator): string[] {
  const at = generator.below(lines.length)
  const line = generator.once(2) ? (lines[at] ?? '') : generator.pick(samples)
  const size = generator.between(1_000, 64_000)
  const grown = [...lines]
  if (generator.once(2)) grown[at] = line.slice(0, 2) + inflateText(line.slice(2), generator, size)
  else grown.splice(at, 0, ...Array.from({ length: Math.floor(size / (line.length + 2)) }, () => line))
  return grown
}
