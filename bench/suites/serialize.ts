/**
 * Serialising: building a request from its parts, and answering one. Each ends in bytes ready to send: the peers make
 * text, which a socket has to encode. Forwarding is in the parse suite.
 */
import { createRequest, responseTo, type SipRequest, SipUri } from '@carillon/sip-parser'
import { invite } from '../fixtures/messages.ts'
import { type Contestant, measureAll, measurementTable } from '../support/measure.ts'
import { parsed } from '../support/own-parsers.ts'
import { answerPeers, buildPeers } from '../support/peer-serializers.ts'
import type { Report } from '../support/report.ts'

const newVia = 'SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1d32.8a6e33;rport'
const sdp = invite.text.slice(invite.text.indexOf('\r\n\r\n') + 4)

/** Runs the suite. */
export function serializeSuite(): Report {
  const request = parsedInvite()
  return {
    title: 'Serialize',
    tables: [
      measurementTable('build an INVITE with SDP from its parts', measureAll([buildOurs(), ...buildPeers(sdp)])),
      measurementTable('answer an INVITE with 200 and SDP', measureAll([answerOurs(request), ...answerPeers(sdp)])),
    ],
    verdicts: [],
    remarks: ['answer: drachtio-sip leaves answering to a daemon and is not measured'],
  }
}

function buildOurs(): Contestant {
  const uri = SipUri.of({ scheme: 'sip', user: 'bob', host: 'biloxi.example.com' })
  return {
    name: 'carillon',
    does: 'createRequest, bytes',
    run: () =>
      createRequest({
        method: 'INVITE',
        uri,
        headers: [
          ['Via', newVia],
          ['Max-Forwards', 70],
          ['From', '"Alice" <sip:alice@atlanta.example.com>;tag=9fxced76sl'],
          ['To', '<sip:bob@biloxi.example.com>'],
          ['Call-ID', '3848276298220188511@192.0.2.101'],
          ['CSeq', '4711 INVITE'],
          ['Contact', '<sip:alice@192.0.2.101:5060>'],
        ],
        body: sdp,
        contentType: 'application/sdp',
      }).toBytes(),
  }
}

function answerOurs(request: SipRequest): Contestant {
  return {
    name: 'carillon',
    does: 'responseTo, bytes; Record-Route and Via copied',
    run: () =>
      responseTo(request, 200, {
        toTag: '314159',
        headers: [['Contact', '<sip:bob@192.0.2.4>']],
        body: sdp,
        contentType: 'application/sdp',
        recordRoute: true,
      }).toBytes(),
  }
}

function parsedInvite(): SipRequest {
  const message = parsed(invite.bytes)
  if (message.kind !== 'request') throw new Error('the fixture is not a request')
  return message
}
