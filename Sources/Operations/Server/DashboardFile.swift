/// A file of the dashboard, held in the binary.
struct DashboardFile {
    let path: String
    let type: String
    let bytes: [UInt8]

    static let all = [
        DashboardFile(path: "/", type: "text/html; charset=utf-8", bytes: PackageResources.index_html),
        DashboardFile(path: "/dashboard.css", type: "text/css; charset=utf-8", bytes: PackageResources.dashboard_css),
        DashboardFile(
            path: "/charts.js", type: "text/javascript; charset=utf-8", bytes: PackageResources.charts_js),
        DashboardFile(
            path: "/evidence.js", type: "text/javascript; charset=utf-8", bytes: PackageResources.evidence_js),
        DashboardFile(
            path: "/dashboard.js", type: "text/javascript; charset=utf-8", bytes: PackageResources.dashboard_js),
        DashboardFile(path: "/icon.svg", type: "image/svg+xml", bytes: PackageResources.icon_svg),
    ]

    /// Nothing from elsewhere, nothing inline, no frame around it. Trusted types leave no way from text to markup:
    /// a browser that knows them refuses every assignment to innerHTML and the like.
    static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ].joined(separator: "; ")
}
