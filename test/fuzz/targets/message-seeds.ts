/** Messages to begin with: the usual ones, every header that the registry knows, and every switch of the tolerant preset. */
import {
  headerSamples,
  inviteBytes,
  optionsRequest,
  registerRequest,
  sampleResponse,
  sampleSdp,
} from '@carillon/sip-parser/testing'

const headersAMessage = 12

function withEachHeader(): Uint8Array[] {
  const messages: Uint8Array[] = []
  // Those that a fixture has of its own may come once only.
  const samples = headerSamples.filter(([name]) => !/^(from|to|call-id|cseq|max-forwards|content-length)$/i.test(name))
  for (let at = 0; at < samples.length; at += headersAMessage) {
    const headers = samples.slice(at, at + headersAMessage).map(([name, value]) => `${name}: ${value}\r\n`)
    const [line = '', ...rest] = Buffer.from(optionsRequest().toBytes()).toString('latin1').split('\r\n')
    messages.push(Buffer.from([line, headers.join('') + rest.join('\r\n')].join('\r\n'), 'latin1'))
  }
  return messages
}

const tolerated = [
  'OPTIONS sip:a SIP/2.0\r\nVia:\r\n SIP / 2.0 / UDP\r\n\ta ; branch=z\r\nf:"x\\"y"\r\n <sip:a@b>;tag=1\r\nt:sip:c@d\r\ni:1\r\nCSeq:1\r\n OPTIONS\r\nl:0\r\n\r\n',
  'OPTIONS sip:a SIP/2.0\nVia: SIP/2.0/UDP a\nFrom: sip:a@b;tag=1\nTo: sip:c@d\nCall-ID: 1\nCSeq: 1 OPTIONS\n\n',
  'OPTIONS  <sip:a?b=c>  SIP/2.0 \r\nVia: SIP/2.0/UDP a_b;;x=\r\nFrom: A. B: C < sip:a@b >;tag=1;y=a/b@c\r\nTo: sip:#21@d?e=f\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nAllow: A,,B,\r\nContent-Length: 9\r\n\r\nshort',
  '\r\n\r\nOPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContact: sip:a@b?c\r\n\r\n',
  '\r\n\r\nsip/2.0  200 OK\r\nv: SIP/2.0/TCP [::1]:5060\r\nf: <tel:+1-2;ext=4>;tag=1\r\nt: <urn:service:sos>;tag=2\r\ni: 1@2\r\nCSeq: 0007 OPTIONS\r\nm: *\r\n\r\n',
]

/** The seeds of the target `message`; those of `stream` are made of them. */
export const messageSeeds: readonly Uint8Array[] = [
  inviteBytes(),
  registerRequest({ contact: '"A" <sip:a@[::1]:5060;ob>;expires=60;q=0.5;+sip.instance="<urn:uuid:1>"' }).toBytes(),
  optionsRequest({ via: 'SIP/2.0/TCP [2001:db8::9:1]:5060;branch=z9hG4bK1;received=2001:db8::2;rport=5' }).toBytes(),
  sampleResponse(401, {
    headers: [['WWW-Authenticate', 'Digest realm="r", nonce="n", qop="auth,auth-int"']],
  }).toBytes(),
  sampleResponse(183, { headers: [['Content-Type', 'application/sdp']], body: sampleSdp }).toBytes(),
  inviteBytes({
    headers: [['Content-Type', 'multipart/mixed;boundary=b']],
    body: `--b\r\nContent-Type: application/sdp\r\n\r\n${sampleSdp}\r\n--b\r\nContent-Disposition: info;handling=optional\r\n\r\nx\r\n--b--\r\n`,
  }),
  ...withEachHeader(),
  ...tolerated.map((text) => Buffer.from(text, 'latin1')),
]
