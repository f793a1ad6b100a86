/**
 * Stands between phones that encrypt and a system that does not, or the other way round: calls go on to the next hop with
 * their media relayed, SRTP with keys in the SDP (RFC 4568) on one side, plain RTP on the other. Whoever is offered SRTP and
 * answers without it is refused: what is to be encrypted is never sent in clear.
 */
import { mediaOptions, startRelay } from './support/media.ts'
import { describe, fail, readOptions, serve, startStack } from './support/program.ts'

const options = readOptions('srtp-gateway --next-hop sip:HOST:PORT [--towards plain]', {
  listen: { type: 'string', multiple: true, default: ['udp://127.0.0.1:5060', 'tcp://127.0.0.1:5060'] },
  /** Where calls go. */
  'next-hop': { type: 'string' },
  /** What the next hop speaks: `srtp`, `plain`, or `best-effort`, plain RTP with keys for those who know them (RFC 8643). */
  towards: { type: 'string', default: 'srtp' },
  ...mediaOptions,
})
const nextHop = options['next-hop'] ?? fail('--next-hop says where calls go', 2)
const kinds = {
  srtp: { transportProtocol: 'RTP/SAVP', sdes: { suites: ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] } },
  plain: { transportProtocol: 'RTP/AVP' },
  'best-effort': { transportProtocol: 'RTP/AVP', bestEffort: true },
} as const
const { towards } = options
if (towards !== 'srtp' && towards !== 'plain' && towards !== 'best-effort')
  fail(`--towards is srtp, plain or best-effort, not ${towards}`, 2)

const stack = await startStack({ listen: options.listen })
const relay = await startRelay(options)
relay.on('session-closed', ({ sessionId, snapshot }) => {
  for (const { media, a, b } of snapshot.streams) {
    const forged = (a?.dropped.unauthenticated ?? 0) + (b?.dropped.unauthenticated ?? 0)
    console.log(`${sessionId} ${media}: a ${a?.packets ?? 0} packets, b ${b?.packets ?? 0}, ${forged} not authentic`)
  }
})

stack.method('INVITE', async (request) => {
  try {
    const session = relay.createSession(request.callId)
    const sdp = relay.anchor(session, { receivedFrom: { a: request.source.address }, towards: { b: kinds[towards] } })
    const target = { uri: request.uri.toString(), routes: [`<${nextHop};lr>`] }
    await (await request.bridge(target, { to: request.to, sdp })).ended
  } catch (error) {
    console.error(describe(error))
    if (!request.isAnswered) request.reply(503)
  }
})

serve(stack)
