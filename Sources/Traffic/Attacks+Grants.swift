/// Permissions and roles that are given to an app or an account, and used to read mail.
extension Attacks {
    static let appRole = Script(
        name: "app-role-and-read",
        summary: "An app is given the role to read all mail, and reads at once",
        kind: .attack,
        steps: { _ in
            let app: StaticString = "51c2e0d4-3a77-4b0e-9a52-0f6f3d8f1b21"
            return [
                .init(
                    at: 0,
                    .appGrant(
                        action: Text("Add app role assignment to service principal."),
                        properties: [
                            Parameter("AppRole_Value", "Mail.Read"),
                            Parameter("ServicePrincipal_DisplayName", "Calendar Sync"),
                            Parameter("ServicePrincipal_AppId", "\(app)"),
                        ], target: ["ServicePrincipal", "Microsoft Graph"])),
                .init(
                    at: 40,
                    .graphRequest(path: Text("/v1.0/users/41f08a1e-77b2-4c0f-8d5e-6f1b2a3c4d5e/messages"), app: app)),
                .init(at: 41, restAccess(by: app, to: "finance@corp.example")),
            ]
        },
        findings: [
            .init(.appRoleThenGraphMail, 0, 1), .init(.appRoleThenMailAccess, 0, 2), .init(.mailboxReadByEwsProgram, 2),
        ])

    static let appConsent = Script(
        name: "consent-and-read",
        summary: "A user consents to an app for mail, which reads at once",
        kind: .attack,
        steps: { _ in
            let app: StaticString = "8f0c6f0e-6a0d-4f4e-b6f7-2d6c0a1e7d02"
            return [
                .init(
                    at: 0,
                    .appGrant(
                        action: Text("Consent to application."),
                        properties: [
                            Parameter("ConsentContext_IsAdminConsent", "False"),
                            Parameter(
                                "ConsentAction_Permissions",
                                "[] => [[Id: {number}, ConsentType: Principal, Scope: User.Read Mail.ReadWrite]]; "),
                        ], target: ["ServicePrincipal", "Document Viewer", app])),
                .init(at: 40, .graphRequest(path: Text("/v1.0/me/mailFolders/inbox/messages"), app: app)),
                .init(at: 41, restAccess(by: app, to: "legal@corp.example")),
            ]
        },
        findings: [
            .init(.appConsentThenGraphMail, 0, 1), .init(.appConsentThenMailAccess, 0, 2),
            .init(.mailboxReadByEwsProgram, 2),
        ])

    static let exchangeRoles = Script(
        name: "exchange-roles-and-read",
        summary: "An account and an app are assigned Exchange roles for all mailboxes, and read",
        kind: .attack,
        steps: { _ in
            let app: StaticString = "b3a9d2c8-1f64-4c7b-9d0a-5e2f7c4a6b10"
            return [
                .init(at: 0, assignment("ApplicationImpersonation", to: Parameter("User", "{user}@corp.example"))),
                .init(at: 5, assignment("Application Mail.Read", to: Parameter("App", "\(app)"))),
                .init(
                    at: 60,
                    .mailboxAccess(
                        owner: Text("cfo@corp.example"),
                        client: Text("Client=WebServices;ExchangeServicesClient/15.00.0913.015;"), logonType: 0)),
                .init(at: 61, restAccess(by: app, to: "board@corp.example")),
            ]
        },
        findings: [
            .init(.mailRoleGranted, 0), .init(.mailRoleGranted, 1), .init(.impersonationThenMailAccess, 0, 2),
            .init(.exchangeRoleThenMailAccess, 1, 3), .init(.mailboxReadByEwsProgram, 2),
            .init(.mailboxReadByEwsProgram, 3),
        ])

    static let exchangeApp = Script(
        name: "exchange-app-and-read",
        summary: "An app is made known to Exchange, is assigned a role by its object id, and reads",
        kind: .attack,
        steps: { _ in
            let app: StaticString = "c86b1f04-58d2-4b6a-8a17-90de3c2f7b55"
            let principal: StaticString = "e17d0a9c-2f43-4c61-b0f5-7b64d1c8a932"
            return [
                .init(
                    at: 0,
                    .exchangeAudit(
                        action: Text("New-ServicePrincipal"), provider: "Exchange", object: Text("\(principal)"),
                        parameters: [
                            Parameter("AppId", "\(app)"), Parameter("ObjectId", "\(principal)"),
                            Parameter("DisplayName", "Mail Archive"),
                        ])),
                .init(at: 5, assignment("Application Mail.Read", to: Parameter("App", "\(principal)"))),
                .init(
                    at: 60,
                    .graphRequest(
                        path: Text("/v1.0/users/6f1b2a3c-77b2-4c0f-8d5e-41f08a1e4d5e/messages"), app: app,
                        principal: principal)),
                .init(at: 61, restAccess(by: app, to: "audit@corp.example")),
            ]
        },
        findings: [
            .init(.mailRoleGranted, 1), .init(.exchangeRoleThenGraphMail, 1, 2),
            .init(.exchangeAppThenMailAccess, 0, 3), .init(.mailboxReadByEwsProgram, 3),
        ])

    private static func assignment(_ role: String, to holder: Parameter) -> Record {
        .exchangeAudit(
            action: Text("New-ManagementRoleAssignment"), provider: "Exchange", object: Text("sync"),
            parameters: [Parameter("Role", role), holder])
    }

    private static func restAccess(by app: StaticString, to owner: String) -> Record {
        .mailboxAccess(
            owner: Text(owner), client: Text("Client=REST;Client=RESTSystem;;"), logonType: 0, app: app)
    }
}
