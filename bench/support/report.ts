/**
 * What a suite hands back and how it is printed: tables with ratios, and the requirements that were checked.
 */

/** A column of a table. */
export interface Column {
  readonly title: string
  /** Numbers stand right, text left. */
  readonly isNumber?: boolean
}

/** A table of results. */
export interface Table {
  readonly title: string
  /** What the rows do, where that differs; printed under the title. */
  readonly note?: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
}

/** A requirement that a run has met or missed. */
export interface Verdict {
  readonly name: string
  readonly isMet: boolean
  /** The figures behind it. */
  readonly detail: string
}

/** All that one suite found. */
export interface Report {
  readonly title: string
  readonly tables: readonly Table[]
  readonly verdicts: readonly Verdict[]
  /** What was left out and why, one line each. */
  readonly remarks: readonly string[]
}

/** The report as Markdown that also reads well on a terminal. */
export function formatReport(report: Report): string {
  const parts = [`## ${report.title}`]
  for (const table of report.tables) parts.push(formatTable(table))
  if (report.remarks.length > 0) parts.push(report.remarks.map((remark) => `- ${remark}`).join('\n'))
  if (report.verdicts.length > 0) {
    parts.push(
      report.verdicts
        .map((verdict) => `- ${verdict.isMet ? 'met' : 'MISSED'}: ${verdict.name} (${verdict.detail})`)
        .join('\n'),
    )
  }
  return `${parts.join('\n\n')}\n`
}

/** A number with three significant digits, for a table. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value >= 100) return value.toFixed(0)
  if (value >= 10) return value.toFixed(1)
  return value.toFixed(value >= 1 ? 2 : 3)
}

/** How many times `value` is `base`, for a table. */
export function ratio(value: number, base: number): string {
  return `${figure(value / base)} ×`
}

function formatTable(table: Table): string {
  const widths = table.columns.map((column, index) =>
    Math.max(column.title.length, ...table.rows.map((row) => (row[index] ?? '').length)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${table.columns
      .map((column, index) => {
        const cell = cells[index] ?? ''
        const width = widths[index] ?? 0
        return column.isNumber === true ? cell.padStart(width) : cell.padEnd(width)
      })
      .join(' | ')} |`
  const rule = `|${table.columns
    .map((column, index) => `-${'-'.repeat(widths[index] ?? 0)}${column.isNumber === true ? ':' : '-'}`)
    .join('|')}|`
  const head = table.note === undefined ? `### ${table.title}` : `### ${table.title}\n\n${table.note}`
  return `${head}\n\n${[line(table.columns.map((column) => column.title)), rule, ...table.rows.map(line)].join('\n')}`
}
