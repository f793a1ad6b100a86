/**
 * Parsing, and what a proxy does with what it parsed: tables beside the npm peers, then the required ratios. See the
 * suites it is made of for what each one does.
 */
import type { Report } from '../support/report.ts'
import { measureForward } from './forward.ts'
import { measureKept } from './kept.ts'
import { measureMessages } from './messages.ts'
import { measureRequired } from './required.ts'
import { measureSdp } from './sdp.ts'
import { measureStream } from './stream.ts'
import { measureValues } from './values.ts'

/** Runs the suite. */
export function parseSuite(): Report {
  // First: what is required is asked of code that a user has just started, before a hundred other tasks have gone over it.
  const required = measureRequired()
  const messages = measureMessages()
  const tables = [...messages.tables, ...measureSdp(), ...measureStream(), ...measureValues(), measureForward()]
  const kept = measureKept()
  const again = measureRequired()
  return {
    title: 'Parse',
    tables: [...tables, kept.table],
    verdicts: [...required.verdicts, ...kept.verdicts],
    remarks: [
      'forward: jssip and sip.js are user agents only and cannot forward; drachtio-sip changes header text in place',
      'Via: npm sip has no function of its own for it',
      'SDP: drachtio-sip and sip.js read none; jssip reads it with sdp-transform',
      ...messages.remarks,
      ...required.remarks,
      ...again.verdicts.map(({ name, detail }) => `measured again after all the tables: ${name}: ${detail}`),
    ],
  }
}
