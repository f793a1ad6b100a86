/**
 * A user agent that answers every call, and OPTIONS, on SipStack.
 *
 *   node carillon-uas.ts PORT
 */
import { SipStack } from '@carillon/sip-transaction'

const sdp =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40002 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n'
const stack = await SipStack.create({ listen: [`udp://127.0.0.1:${process.argv[2]}`] })
stack.method('OPTIONS', (request) => request.reply(200))
stack.method('INVITE', (request) => request.reply(200, { body: sdp }))
console.log('ready')
