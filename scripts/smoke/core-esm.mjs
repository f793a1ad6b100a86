/** Runs inside an empty folder with the packed packages installed: the core packages load and work as ES modules. */
import assert from 'node:assert/strict'
import { createRelay } from '@carillon/rtp-relay'
import { parseMessage } from '@carillon/sip-parser'
import { parseSdp } from '@carillon/sip-parser/sdp'
import { SipStack } from '@carillon/sip-transaction'
import { FakeClock } from '@carillon/sip-transaction/testing'

const text = [
  'OPTIONS sip:bob@example.com SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKsmoke',
  'From: <sip:alice@example.com>;tag=1',
  'To: <sip:bob@example.com>',
  'Call-ID: smoke@192.0.2.1',
  'CSeq: 1 OPTIONS',
  'Max-Forwards: 70',
  'Content-Length: 0',
  '',
  '',
].join('\r\n')
const parsed = parseMessage(Buffer.from(text))
assert.equal(parsed.ok && parsed.message.via.branch, 'z9hG4bKsmoke')
assert.equal(parseSdp('v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n').ok, true)
assert.equal(typeof new FakeClock().monotonicMs(), 'number')

const callee = await SipStack.create({ listen: ['udp://127.0.0.1:0'] })
const caller = await SipStack.create({ listen: ['udp://127.0.0.1:0'] })
callee.method('MESSAGE', (request) => request.reply(202))
const response = await caller.request({
  method: 'MESSAGE',
  uri: callee.listeners[0].uri,
  body: 'hello',
  contentType: 'text/plain',
})
assert.equal(response.status, 202)
await caller.close()
await callee.close()

const relay = await createRelay({ interfaces: [{ address: '127.0.0.1' }], portMin: 42000, portMax: 42099 })
const free = relay.portsFree
const session = relay.createSession('smoke')
const offer = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n'
assert.match(Buffer.from(await session.offer(offer, { from: 'a' })).toString(), /m=audio 42\d\d\d RTP\/AVP 0/)
assert.ok(relay.portsFree < free)
await session.close()
await relay.close()
