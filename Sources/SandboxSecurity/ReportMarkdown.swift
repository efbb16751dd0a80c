internal import SandboxModel

/// Renders reports as Markdown that reads well unrendered too.
public enum ReportMarkdown {
    /// The report of one sandbox.
    public static func render(_ report: SandboxReport) -> String {
        var text = "# Sandbox \(report.sandboxID)\n\n"
        text += "Report of \(report.timestamp). State: \(report.state ?? "unknown")"
        text += report.causeOfDeath.map { ", cause of death: **\($0)**.\n\n" } ?? ".\n\n"
        text +=
            "\(report.totalViolations) violations, \(report.recentViolations) of them in the last 24 hours.\n\n"
        text += table(
            ["Violation type", "Count"],
            report.types.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                [$0.key.rawValue, String($0.value)]
            })
        text += table(
            ["Severity", "Count"],
            report.severities.sorted { $0.key > $1.key }.map { [$0.key.rawValue, String($0.value)] })
        text += "## Controls\n\n"
        text += table(
            ["Control", "Status", "Wanted", "Found"],
            (report.applied.array ?? []).map { control in
                ["control", "status", "wanted", "found"].map { control[$0]?.string ?? "" }
            })
        text += "## Timeline\n\n"
        text += table(
            ["Time", "What", "Details"],
            (report.json["timeline"]?.array ?? []).map { entry in
                ["timestamp", "kind", "text"].map { entry[$0]?.string ?? "" }
            })
        text += "## Actions\n\n"
        text += table(
            ["Time", "Action", "Cause"],
            report.actions.map { action in
                ["timestamp", "action", "cause"].map { action[$0]?.string ?? "" }
            })
        return text + footer(report.heads)
    }

    /// The report over all sandboxes.
    public static func render(_ report: FleetReport) -> String {
        var text = "# Sandboxes\n\nReport of \(report.timestamp)"
        text += report.since.map { ", from \($0).\n\n" } ?? ".\n\n"
        text +=
            "\(report.totalViolations) violations, \(report.recentViolations) of them in the last 24 hours.\n\n"
        text += "## Violations\n\n"
        text += table(["Type", "Count"], counts(report.types))
        text += table(["Severity", "Count"], counts(report.severities))
        text += table(["Policy", "Count"], counts(report.policies))
        text += table(["Action", "Count"], counts(report.actions))
        text += "## Sandboxes\n\n"
        text += table(["State", "Count"], counts(report.stateCounts))
        text += table(["Cause of death", "Count"], counts(report.deaths))
        text += "## Top violators\n\n"
        text += table(
            ["Sandbox", "Violations"], report.topViolators.map { [$0.sandbox.rawValue, String($0.count)] })
        return text + footer(report.heads)
    }

    private static func counts(_ map: [String: Int]) -> [[String]] {
        map.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { [$0.key, String($0.value)] }
    }

    private static func footer(_ heads: JSONValue) -> String {
        let lines = (heads.members ?? []).map { member in
            "- `\(member.key)`: seq \(member.value["seq"]?.integer ?? 0), head `\(member.value["chain"]?.string ?? "")`"
        }
        return lines.isEmpty ? "" : "## Journal\n\n" + lines.joined(separator: "\n") + "\n"
    }

    /// A table with aligned columns; "none" in place of one without rows.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        guard !rows.isEmpty else { return "\(header[0]): none.\n\n" }
        let cells = rows.map { row in row.map(escape) }
        let widths = header.indices.map { column in
            max(3, ([header] + cells).map { $0[column].count }.max() ?? 3)
        }
        func line(_ row: [String]) -> String {
            let padded = zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: max(0, width - cell.count))
            }
            return "| " + padded.joined(separator: " | ") + " |\n"
        }
        return line(header) + line(widths.map { String(repeating: "-", count: $0) })
            + cells.map(line).joined() + "\n"
    }

    /// Text from outside, made harmless in a table cell.
    private static func escape(_ text: String) -> String {
        var result = ""
        for character in excerpt(text, limit: 300) {
            if "|\\`*_<>[]".contains(character) { result.append("\\") }
            result.append(character)
        }
        return result
    }
}
