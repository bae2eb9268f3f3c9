//! Health, trends, and the texts of both.

use foundation_types::{Health, HealthTrend};

const fn opposite(trend: HealthTrend) -> HealthTrend {
    match trend {
        HealthTrend::Improving => HealthTrend::Degrading,
        HealthTrend::Stable => HealthTrend::Stable,
        HealthTrend::Degrading => HealthTrend::Improving,
    }
}

#[test]
fn t10_a_trend_is_the_opposite_of_the_way_back() {
    for old in Health::ALL {
        for new in Health::ALL {
            assert_eq!(old.trend_to(new), opposite(new.trend_to(old)), "{old} to {new}");
        }
    }
}

#[test]
fn t10_the_trend_follows_the_rank_and_the_unknown_is_stable() {
    let known = [Health::Critical, Health::Unhealthy, Health::Degraded, Health::Healthy];
    for (rank, health) in known.into_iter().enumerate() {
        assert_eq!(health.rank().map(usize::from), Some(rank));
        assert_eq!(health.trend_to(health), HealthTrend::Stable);
        assert_eq!(health.trend_to(Health::Unknown), HealthTrend::Stable);
        assert_eq!(Health::Unknown.trend_to(health), HealthTrend::Stable);
        for better in &known[rank + 1..] {
            assert_eq!(health.trend_to(*better), HealthTrend::Improving);
        }
    }
    assert_eq!(Health::Unknown.rank(), None);
}

#[test]
fn unknown_health_reaches_no_threshold_but_itself() {
    for threshold in Health::ALL {
        assert_eq!(Health::Unknown.is_at_least(threshold), threshold == Health::Unknown);
        assert!(Health::Healthy.is_at_least(threshold));
    }
    assert!(!Health::Degraded.is_at_least(Health::Healthy));
    assert!(Health::Degraded.is_at_least(Health::Degraded));
}

#[test]
fn texts_are_snake_case_read_back_and_serialise_alike() {
    let texts = Health::ALL.map(Health::as_str);
    assert_eq!(texts, ["healthy", "degraded", "unhealthy", "critical", "unknown"]);
    for health in Health::ALL {
        assert_eq!(health.as_str().parse(), Ok(health));
        assert_eq!(health.to_string(), health.as_str());
        let json = serde_json::to_value(health).expect("serialises");
        assert_eq!(json, health.as_str());
        assert_eq!(serde_json::from_value::<Health>(json).expect("reads back"), health);
    }
    for trend in HealthTrend::ALL {
        assert_eq!(trend.as_str().parse(), Ok(trend));
    }
}

#[test]
fn a_text_that_is_no_health_is_named_with_what_would_be() {
    let error = "Healthy".parse::<Health>().expect_err("case matters");
    assert_eq!(error.text(), "Healthy");
    assert_eq!(
        error.to_string(),
        r#"unknown health "Healthy", expected one of healthy, degraded, unhealthy, critical, unknown"#
    );
    let error = serde_json::from_str::<Health>(r#""fine""#).expect_err("not a health");
    assert!(error.to_string().contains(r#"unknown health "fine""#), "{error}");
}
