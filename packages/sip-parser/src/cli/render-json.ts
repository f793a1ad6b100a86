/**
 * The report as JSON, for programs. Values of the Authorization family and passwords of URIs are masked; bodies are
 * counted, not shown.
 */
import { leafParts } from '../body/body-part'
import { maskedUris } from '../message/mask'
import { decodedHeaders } from './decoded'
import type { MessageReport, PlacedProblem } from './report'
import { summarizeSdp } from './sdp-summary'

/** One message's report as plain data. */
export function reportData(report: MessageReport): object {
  const { found, message, body } = report
  return {
    verdict: report.verdict,
    offset: found.offset,
    bytes: found.bytes.length,
    ...(found.label === undefined ? {} : { label: found.label }),
    notes: found.notes,
    problems: ofWeight(report, 'problem'),
    warnings: ofWeight(report, 'warning'),
    remarks: ofWeight(report, 'remark'),
    ...(message === undefined ? {} : { message: message.toJSON() }),
    decoded:
      message === undefined
        ? {}
        : Object.fromEntries(
            decodedHeaders(message).map(({ name, values }) => [name, values.map(maskedUris)] as const),
          ),
    parts: body === undefined ? [] : leafParts(body).map(partData),
    sessions: report.sessions.map(summarizeSdp),
  }
}

function ofWeight({ problems }: MessageReport, weight: PlacedProblem['weight']): object[] {
  return problems.filter((placed) => placed.weight === weight).map(problemData)
}

function problemData({ problem, line, column }: PlacedProblem): object {
  return { ...problem, line, column: column + 1 }
}

function partData(part: ReturnType<typeof leafParts>[number]): object {
  return {
    contentType: part.contentType.toString(),
    disposition: part.disposition.toString(),
    offset: part.offset,
    bytes: part.bytes.byteLength,
  }
}
