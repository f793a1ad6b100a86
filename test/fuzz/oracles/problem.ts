/** What a verdict promises, whoever gives it: a known code of the right layer, a place in the input, a clean sentence. */
import { bodyProblemCodes, headerDefinitions, type Problem, problemCodes } from '@carillon/sip-parser'
import { sdpProblemCodes } from '@carillon/sip-parser/sdp'
import { must } from '../engine/failure.ts'

const statuses: ReadonlySet<unknown> = new Set([400, 413, 415, 416, 488, 501, 505, 513, 'drop'])
const layers: ReadonlyMap<string, string> = new Map([
  ...[...Object.keys(sdpProblemCodes), ...Object.keys(bodyProblemCodes)].map((code) => [code, 'semantic'] as const),
  ...Object.entries(problemCodes).map(([code, { layer }]) => [code, layer] as const),
])
const headerNames: ReadonlySet<string> = new Set(headerDefinitions.map(({ name }) => name))
const sentenceLengthMax = 300

/** Checks one problem of an input with so many bytes. */
export function checkProblem(problem: Problem, inputBytes: number): void {
  const { code, layer, offset, header, suggestedStatus, sentence } = problem
  const tell = (): string => JSON.stringify(problem)
  must(layers.get(code) === layer, 'verdict has a code of its layer', tell)
  must(Number.isInteger(offset) && offset >= 0, 'verdict has an offset', tell)
  must(offset <= inputBytes, 'verdict points into the input', () => `${tell()} of ${inputBytes} bytes`)
  must(statuses.has(suggestedStatus), 'verdict suggests a status that it may', tell)
  must(header === undefined || headerNames.has(header), 'verdict names a known header', tell)
  must(/^[ -~]+\.$/.test(sentence) && sentence.length <= sentenceLengthMax, 'verdict is one clean sentence', tell)
}

/** The behaviour that a problem stands for. */
export function problemFeature(problem: Problem): string {
  return problem.header === undefined ? problem.code : `${problem.code} ${problem.header}`
}
