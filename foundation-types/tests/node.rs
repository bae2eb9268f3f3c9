//! The local node of a program that names none. A process has one, so this is the only test of its binary.

use foundation_types::NodeId;

#[test]
fn the_first_use_of_an_unnamed_node_fixes_its_name() {
    assert_eq!(NodeId::local(), &NodeId::NONODE);
    assert_eq!(NodeId::local().as_str(), "nonode@nohost");
    assert_eq!(NodeId::set_local(NodeId::from_static("late@here")), Err(&NodeId::NONODE));
    assert_eq!(NodeId::set_local(NodeId::NONODE), Ok(()));
    assert_eq!(NodeId::local(), &NodeId::NONODE);
}
