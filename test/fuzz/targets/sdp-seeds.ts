/** Descriptions to begin with, and one side that can answer most of them. */
import type { LocalSession } from '@carillon/sip-parser/sdp'
import { sampleSdp } from '@carillon/sip-parser/testing'

const browser = [
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1 2',
  'a=extmap-allow-mixed',
  'a=msid-semantic: WMS stream',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 63 0 101',
  'c=IN IP4 0.0.0.0',
  'a=rtcp:9 IN IP4 0.0.0.0',
  'a=candidate:842163049 1 udp 1677729535 192.0.2.7 46154 typ srflx raddr 10.0.0.1 rport 46154 generation 0',
  'a=candidate:1 1 tcp 1518280447 10.0.0.1 9 typ host tcptype active generation 0',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuvwx',
  'a=ice-options:trickle',
  'a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08',
  'a=setup:actpass',
  'a=mid:0',
  'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'a=sendrecv',
  'a=msid:stream track',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=rtcp-fb:111 transport-cc',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=rtpmap:63 red/48000/2',
  'a=fmtp:63 111/111',
  'a=rtpmap:101 telephone-event/8000',
  'a=ssrc:3570614608 cname:4TOk42mSjXCkVIa6',
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
  'c=IN IP6 ::',
  'b=AS:1000',
  'a=mid:1',
  'a=recvonly',
  'a=rtcp-mux',
  'a=rtcp-rsize',
  'a=rtpmap:96 VP8/90000',
  'a=rtcp-fb:96 nack pli',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
  'a=ssrc-group:FID 1 2',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'a=mid:2',
  'a=sctp-port:5000',
]

const keyed = [
  'v=0',
  'o=phone 1 1 IN IP4 192.0.2.5',
  's=call',
  'i=two keys and a fax',
  'u=http://example.com',
  'e=a@example.com',
  'p=+1 201 555',
  'c=IN IP4 192.0.2.5',
  'b=CT:128',
  't=2873397496 2873404696',
  'r=7d 1h 0 25h',
  'z=2882844526 -1h',
  'k=clear:x',
  'a=inactive',
  'm=audio 10000/2 RTP/SAVP 8 18 96',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4',
  'a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj UNENCRYPTED_SRTP',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:18 G729/8000',
  'a=fmtp:18 annexb=no',
  'a=ptime:20',
  'a=maxptime:150',
  'm=image 10002 udptl t38',
  'a=T38FaxVersion:0',
  'a=T38MaxBitRate:14400',
  'a=T38FaxUdpEC:t38UDPRedundancy',
  'm=video 0 RTP/AVP 31',
]

const bytesOf = (lines: readonly string[], end: string): Buffer => Buffer.from(lines.join(end) + end)

/** The seeds of the target. */
export const sdpSeeds: readonly Uint8Array[] = [
  Buffer.from(sampleSdp),
  bytesOf(browser, '\r\n'),
  bytesOf(keyed, '\r\n'),
  bytesOf(browser, '\n'),
  Buffer.from('v=0\r\no=- 0 0 IN IP4 a\r\ns=\xe9\r\n', 'latin1'),
]

/** Answers audio, video, fax and data, with and without keys. */
export const localSession: LocalSession = {
  origin: { username: '-', sessionId: '5', sessionVersion: '1', netType: 'IN', family: 'IP4', address: '192.0.2.9' },
  connection: { netType: 'IN', family: 'IP4', address: '192.0.2.9' },
  media: [
    {
      media: 'audio',
      protocols: ['RTP/AVP', 'RTP/SAVP', 'RTP/SAVPF', 'UDP/TLS/RTP/SAVPF'],
      codecs: [
        { name: 'opus', clockRate: 48000, channels: 2, payloadType: 96, fmtp: 'useinbandfec=1', feedback: ['nack'] },
        { name: 'PCMA', clockRate: 8000 },
        { name: 'PCMU', clockRate: 8000 },
        { name: 'G729', clockRate: 8000 },
        { name: 'telephone-event', clockRate: 8000, payloadType: 101, fmtp: '0-16' },
      ],
      port: 20000,
      rtcpMux: true,
      ptime: 20,
      crypto: [
        {
          suite: 'AES_CM_128_HMAC_SHA1_80',
          keys: [{ keySalt: 'd0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj' }],
          sessionParameters: [],
        },
      ],
    },
    {
      media: 'video',
      protocols: ['RTP/AVP', 'RTP/AVPF', 'UDP/TLS/RTP/SAVPF'],
      codecs: [{ name: 'VP8', clockRate: 90000, payloadType: 97, feedback: ['nack pli'] }],
      port: 20002,
      direction: 'sendonly',
    },
    { media: 'image', protocols: ['udptl'], formats: ['t38'], port: 20004 },
    { media: 'application', protocols: ['UDP/DTLS/SCTP'], formats: ['webrtc-datachannel'], port: 20006 },
  ],
}
