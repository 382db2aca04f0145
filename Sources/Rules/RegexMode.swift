/// temporary until EQL defines it
public enum RegexMode: String, Hashable, Sendable, CaseIterable { case elastic, search }
