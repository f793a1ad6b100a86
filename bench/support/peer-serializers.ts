/**
 * The peers as builders of messages, each doing what its users do. See peer-parsers.ts for the other direction.
 */
import drachtio from 'drachtio-sip'
import * as jssip from 'jssip/lib/Parser.js'
import { OutgoingRequest } from 'jssip/lib/SIPMessage.js'
import JsSipUri from 'jssip/lib/URI.js'
import * as sip from 'sip'
import { Core, Grammar } from 'sip.js'
import { invite } from '../fixtures/messages.ts'
import type { Contestant } from './measure.ts'

const via = 'SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1d32.8a6e33;rport'

const jssipAgent = {
  configuration: {
    session_timers: false,
    extra_headers: undefined,
    use_preloaded_route: false,
    uri: JsSipUri.parse('sip:alice@atlanta.example.com'),
  },
  contact: { pub_gruu: null, temp_gruu: null, toString: () => '<sip:alice@192.0.2.101>' },
}

/** Builds an INVITE with SDP. */
export function buildPeers(sdp: string): Contestant[] {
  const jssipUri = JsSipUri.parse('sip:bob@biloxi.example.com')
  const bob = sipJsUri('sip:bob@biloxi.example.com')
  const alice = sipJsUri('sip:alice@atlanta.example.com')
  return checked([
    {
      name: 'drachtio-sip',
      does: 'SipMessage, set, toString',
      run: () => {
        const message = new drachtio.SipMessage()
        message.method = 'INVITE'
        message.uri = 'sip:bob@biloxi.example.com'
        message.body = sdp
        message
          .set('Via', via)
          .set('Max-Forwards', '70')
          .set('From', '"Alice" <sip:alice@atlanta.example.com>;tag=9fxced76sl')
          .set('To', '<sip:bob@biloxi.example.com>')
          .set('Call-ID', '3848276298220188511@192.0.2.101')
          .set('CSeq', '4711 INVITE')
          .set('Contact', '<sip:alice@192.0.2.101:5060>')
          .set('Content-Type', 'application/sdp')
        return text(message.toString())
      },
    },
    {
      name: 'sip',
      does: 'stringify of an object',
      run: () =>
        text(
          sip.stringify({
            method: 'INVITE',
            uri: 'sip:bob@biloxi.example.com',
            version: '2.0',
            headers: {
              via: [
                {
                  version: '2.0',
                  protocol: 'UDP',
                  host: '192.0.2.9',
                  port: 5060,
                  params: { branch: 'z9hG4bK1d32.8a6e33', rport: null },
                },
              ],
              'max-forwards': 70,
              from: { name: '"Alice"', uri: 'sip:alice@atlanta.example.com', params: { tag: '9fxced76sl' } },
              to: { uri: 'sip:bob@biloxi.example.com', params: {} },
              'call-id': '3848276298220188511@192.0.2.101',
              cseq: { seq: 4711, method: 'INVITE' },
              contact: [{ uri: 'sip:alice@192.0.2.101:5060', params: {} }],
              'content-type': 'application/sdp',
            },
            content: sdp,
          }),
        ),
    },
    {
      name: 'jssip',
      does: 'OutgoingRequest, toString',
      run: () => {
        const request = new OutgoingRequest(
          'INVITE',
          jssipUri,
          jssipAgent,
          {
            cseq: 4711,
            call_id: '3848276298220188511@192.0.2.101',
            from_tag: '9fxced76sl',
            from_display_name: 'Alice',
          },
          ['Contact: <sip:alice@192.0.2.101:5060>', 'Content-Type: application/sdp'],
          sdp,
        )
        request.setHeader('via', via)
        return text(request.toString())
      },
    },
    {
      name: 'sip.js',
      does: 'OutgoingRequestMessage, toString',
      run: () => {
        const request = new Core.OutgoingRequestMessage(
          'INVITE',
          bob,
          alice,
          bob,
          { callId: '3848276298220188511@192.0.2.101', cseq: 4711, fromTag: '9fxced76sl', fromDisplayName: 'Alice' },
          ['Contact: <sip:alice@192.0.2.101:5060>'],
          { contentDisposition: 'session', contentType: 'application/sdp', content: sdp },
        )
        request.setHeader('via', via)
        return text(request.toString())
      },
    },
  ])
}

/** Answers the parsed INVITE with 200 and SDP. */
export function answerPeers(sdp: string): Contestant[] {
  const sipRequest = sip.parse(invite.bytes)
  const jssipRequest = jssip.parseMessage(invite.text, jssipAgent)
  const sipJsRequest = Core.Parser.parseMessage(invite.text, { error: fail, warn: fail } as never)
  if (sipRequest === undefined || jssipRequest === undefined || sipJsRequest === undefined) return fail()
  let sent: string | undefined
  jssipRequest.server_transaction = {
    receiveResponse: (_status: number, text: string) => {
      sent = text
    },
  }
  return checked([
    {
      name: 'sip',
      does: 'makeResponse, stringify; no Record-Route',
      run: () => {
        const response = sip.makeResponse(sipRequest, 200, 'OK', {
          headers: { contact: [{ uri: 'sip:bob@192.0.2.4', params: {} }], 'content-type': 'application/sdp' },
          content: sdp,
        })
        response.headers.to = { ...response.headers.to, params: { tag: '314159' } }
        return text(sip.stringify(response))
      },
    },
    {
      name: 'jssip',
      does: 'reply, text caught before the transport',
      run: () => {
        jssipRequest.reply(200, null, ['Contact: <sip:bob@192.0.2.4>'], sdp)
        return text(sent)
      },
    },
    {
      name: 'sip.js',
      does: 'constructOutgoingResponse',
      run: () =>
        text(
          Core.constructOutgoingResponse(sipJsRequest as Core.IncomingRequestMessage, {
            statusCode: 200,
            toTag: '314159',
            extraHeaders: ['Contact: <sip:bob@192.0.2.4>'],
            body: { contentDisposition: 'session', contentType: 'application/sdp', content: sdp },
          }).message,
        ),
    },
  ])
}

/** npm sip's `stringify` of the parsed INVITE, nothing changed, its result left as text. */
export function bareStringify(): Contestant {
  const message = sip.parse(invite.bytes) ?? fail()
  return { name: 'sip', does: 'bare stringify, left as text; nothing changed', run: () => sip.stringify(message) }
}

/** Forwards the parsed INVITE. */
export function forwardPeers(target: string, newVia: string): Contestant[] {
  const sipRequest = sip.parse(invite.bytes)
  const drachtioRequest = new drachtio.SipMessage(invite.text)
  if (sipRequest === undefined) return fail()
  return checked([
    {
      name: 'drachtio-sip',
      does: 'header text changed on a shallow copy, toString, bytes; two Via lines become one',
      run: () => {
        const { headers } = drachtioRequest
        const copy = Object.assign(new drachtio.SipMessage(), drachtioRequest, { uri: target, headers: { ...headers } })
        copy.headers.via = `${newVia},${headers.via}`
        copy.headers['max-forwards'] = String(Number(headers['max-forwards']) - 1)
        return text(copy.toString())
      },
    },
    {
      name: 'sip',
      does: 'copyMessage, via object added, stringify, bytes',
      run: () => {
        const copy = sip.copyMessage(sipRequest)
        copy.uri = target
        copy.version = '2.0'
        copy.headers.via.unshift({
          version: '2.0',
          protocol: 'UDP',
          host: '192.0.2.9',
          port: 5060,
          params: { branch: 'z9hG4bK1d32.8a6e33', rport: null },
        })
        copy.headers['max-forwards'] = Number(copy.headers['max-forwards']) - 1
        return text(sip.stringify(copy))
      },
    },
  ])
}

function sipJsUri(text: string): NonNullable<ReturnType<typeof Grammar.URIParse>> {
  return Grammar.URIParse(text) ?? fail()
}

/** The text as bytes, as a socket would have to make it. */
function text(message: string | undefined): Buffer {
  return Buffer.from(message ?? fail())
}

/** The contestants, each made to show once that it builds a whole message. */
function checked(contestants: Contestant[]): Contestant[] {
  for (const contestant of contestants) {
    const message = String(contestant.run())
    const head = message.slice(0, message.indexOf('\r\n\r\n') + 2).toLowerCase()
    for (const part of [
      'sip/2.0',
      '\r\nvia: sip',
      '\r\nfrom: ',
      '\r\nto: ',
      '\r\ncall-id: 38482762',
      '\r\ncseq: 4711 invite\r\n',
    ]) {
      if (!head.includes(part))
        throw new Error(`${contestant.name} built no proper message (${part.trim()}):\n${message}`)
    }
  }
  return contestants
}

function fail(): never {
  throw new Error('a peer did not accept the fixture')
}
